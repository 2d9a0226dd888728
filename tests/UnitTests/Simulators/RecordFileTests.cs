using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Sagas.Simulators;

namespace Sagas.UnitTests.Simulators;

public sealed class RecordFileTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("gateway-record").FullName;

    private string RecordFile => Path.Combine(directory, "record.jsonl");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task The_record_survives_a_killed_process()
    {
        var killed = await StartProcessAsync();
        using (var client = new HttpClient { BaseAddress = killed.Address })
        {
            for (var number = 0; number < 50; number++)
                using (await client.SendAsync(RunningGateway.Payment($"key-{number}", $"p-{number}"))) { }
        }

        killed.Process.Kill();
        await killed.Process.WaitForExitAsync();
        killed.Process.Dispose();

        await using var gateway = await StartAsync();
        Assert.Equal(new(50, 50, 0, 0, 0, 0, 0, 0), await gateway.SummaryAsync());
        Assert.True((await gateway.PayAsync("key-49", "p-49")).IsReplay);
    }

    [Fact]
    public async Task Everything_is_the_same_after_a_restart()
    {
        string before;
        RunningGateway.Counts counts;
        await using (var gateway = await StartAsync())
        {
            await gateway.PayAsync("key-1");
            await gateway.PayAsync("key-1");
            await gateway.PayAsync("key-1", "p-2");
            await gateway.PayAsync("key-3", "p-3", "7.13");
            await gateway.SendAsync(RunningGateway.Post("key-4", "not JSON\n\"at\" all"));
            await gateway.SendAsync(
                RunningGateway.Post(
                    "key-5",
                    """{"paymentId":"é\n\"","customerId":"c","amount":1.50,"currency":"EUR","more":["\ud800"]}"""
                )
            );
            await gateway.SetFaultsAsync(new { lostAfter = 1 });
            await Assert.ThrowsAsync<HttpRequestException>(() => gateway.PayAsync("key-6", "p-6"));
            await gateway.SetFaultsAsync(new { failBefore = 1 });
            await gateway.PayAsync("key-7", "p-7");
            before = await gateway.Client.GetStringAsync("/payments/records");
            counts = await gateway.SummaryAsync();
        }

        await using var again = await StartAsync();

        Assert.Equal(before, await again.Client.GetStringAsync("/payments/records"));
        Assert.Equal(counts, await again.SummaryAsync());
        Assert.Equal(402, (await again.PayAsync("key-3", "p-3", "7.13")).Status);
        Assert.True((await again.PayAsync("key-6", "p-6")).IsReplay);
        Assert.False((await again.PayAsync("key-7", "p-7")).IsReplay);
    }

    [Fact]
    public async Task An_incomplete_line_is_dropped_and_overwritten()
    {
        await using (var gateway = await StartAsync())
        {
            await gateway.PayAsync("key-1");
        }

        await File.AppendAllTextAsync(RecordFile, """{"sequence":2,"at":"2026-""");
        await using (var gateway = await StartAsync())
        {
            Assert.Equal(1, (await gateway.SummaryAsync()).Requests);
            await gateway.PayAsync("key-2", "p-2");
        }

        Assert.All(await File.ReadAllLinesAsync(RecordFile), line => JsonDocument.Parse(line).Dispose());
        await using var again = await StartAsync();
        Assert.Equal(2, (await again.SummaryAsync()).Effects);
    }

    [Fact]
    public async Task A_second_effect_under_a_key_would_be_counted()
    {
        await using (var gateway = await StartAsync())
        {
            await gateway.PayAsync("key-1");
        }

        await File.AppendAllTextAsync(
            RecordFile,
            (await File.ReadAllTextAsync(RecordFile)).Replace("\"sequence\":1", "\"sequence\":2", StringComparison.Ordinal)
        );

        await using var again = await StartAsync();
        Assert.Equal(1, (await again.SummaryAsync()).DuplicateEffects);
    }

    [Fact]
    public async Task Deleted_records_do_not_return_after_a_restart()
    {
        await using (var gateway = await StartAsync())
        {
            await gateway.PayAsync("key-1");
            using var response = await gateway.Client.DeleteAsync("/payments");
            await gateway.PayAsync("key-2");
        }

        await using var again = await StartAsync();
        Assert.Equal("key-2", Assert.Single(await again.RecordsAsync()).GetProperty("key").GetString());
    }

    [Fact]
    public async Task A_record_file_that_is_invalid_or_in_use_stops_the_start()
    {
        await using (await StartAsync())
        {
            await Assert.ThrowsAsync<IOException>(() => StartAsync());
        }

        await File.WriteAllTextAsync(RecordFile, "hello\n");
        var exception = await Assert.ThrowsAsync<IOException>(() => StartAsync());
        Assert.Contains("line 1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_probe_distinguishes_healthy_from_unhealthy()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var address = gateway.Client.BaseAddress!;

        // On a busy machine an answer may take longer than the probe waits: the test repeats it, as the container does.
        var live = new Uri(address, "/health/live").ToString();
        await Eventually.EqualAsync(0, () => HealthProbe.RunAsync(live, CancellationToken.None));
        Assert.Equal(1, await HealthProbe.RunAsync(new Uri(address, "/nowhere").ToString(), CancellationToken.None));
        await gateway.DisposeAsync();
        Assert.Equal(1, await HealthProbe.RunAsync(address.ToString(), CancellationToken.None));
        Assert.Equal(1, await HealthProbe.RunAsync("not an address", CancellationToken.None));
    }

    private Task<RunningGateway> StartAsync() => RunningGateway.StartAsync(("Gateway:RecordFile", RecordFile));

    private async Task<(Process Process, Uri Address)> StartProcessAsync()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(SimulatorHost).Assembly.Location);
        start.ArgumentList.Add("--urls=http://127.0.0.1:0");
        start.ArgumentList.Add($"--Gateway:RecordFile={RecordFile}");
        var process = Process.Start(start)!;
        const string Announcement = "Now listening on: ";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var at = line.IndexOf(Announcement, StringComparison.Ordinal);
            if (at >= 0)
                return (process, new Uri(line[(at + Announcement.Length)..]));
        }

        throw new InvalidOperationException("The simulators ended before they listened.");
    }
}
