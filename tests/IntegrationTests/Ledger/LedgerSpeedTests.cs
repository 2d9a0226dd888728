using System.Diagnostics;
using Sagas.Services.Ledger;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.Ledger;

/// <summary>How soon and how fast calls are made. The bounds are loose, for machines that do other things besides.</summary>
[Collection(ServersCollection.Name)]
public sealed class LedgerSpeedTests(ServersFixture servers, ITestOutputHelper output)
{
    [Fact]
    public async Task A_backlog_is_called_and_written_in_batches_within_the_limit()
    {
        const int calls = 2000;
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Latency = TimeSpan.FromMilliseconds(10);
        await using var table = await LedgerTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, LedgerMode.IdempotencyKey) { Options = new() };
        await using var process = LedgerProcess.Create(table.ConnectionString, settings);
        await process.EnterAsync(Enumerable.Range(0, calls).Select(number => $"pay{number}"));

        var watch = Stopwatch.StartNew();
        await process.StartAsync();
        await table.UntilAllDoneAsync();
        var took = watch.Elapsed;

        output.WriteLine($"{calls / took.TotalSeconds:0} calls/s, limit {process.Status.Limit}");
        Assert.Equal(calls, gateway.Effects.Count);
        Assert.All(gateway.Requests.Values, requests => Assert.Equal(1, requests));
        Assert.True(took < TimeSpan.FromSeconds(20), $"{calls} calls took {took}.");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_starts_at_once_in_the_process_that_entered_it_and_soon_in_another(bool same)
    {
        const int calls = 100;
        await using var gateway = await FailingGateway.StartAsync();
        var called = new System.Collections.Concurrent.ConcurrentDictionary<string, long>();
        gateway.HadEffect = key => called[key] = Stopwatch.GetTimestamp();
        await using var table = await LedgerTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, LedgerMode.IdempotencyKey) { Options = new() };
        await using var process = await LedgerProcess.StartAsync(table.ConnectionString, settings);
        await using var other = LedgerProcess.Create(table.ConnectionString, settings);
        await process.EnterAsync("warm");
        await other.EnterAsync("warm up");
        await table.UntilFinishedAsync();

        var waits = new List<double>();
        for (var number = 0; number < calls; number++)
        {
            await (same ? process : other).EnterAsync($"pay{number}");
            var entered = Stopwatch.GetTimestamp();
            await table.UntilAsync(_ => called.ContainsKey($"pay{number}"));
            waits.Add(Stopwatch.GetElapsedTime(entered, called[$"pay{number}"]).TotalMilliseconds);
        }

        waits.Sort();
        output.WriteLine($"p50 {waits[calls / 2]:0.0} ms, p99 {waits[^2]:0.0} ms");
        Assert.True(waits[calls / 2] < (same ? 100 : 300), $"Half of the calls started after {waits[calls / 2]} ms.");
    }

    [Fact]
    public async Task Several_processes_share_the_calls_and_none_is_made_twice()
    {
        const int calls = 1500;
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: false);
        gateway.Latency = TimeSpan.FromMilliseconds(5);
        await using var table = await LedgerTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, LedgerMode.AtMostOnce) { Options = new() };
        var processes = Enumerable.Range(0, 3).Select(_ => LedgerProcess.Create(table.ConnectionString, settings)).ToArray();
        try
        {
            await processes[0].EnterAsync(Enumerable.Range(0, calls).Select(number => $"pay{number}"));
            await Task.WhenAll(processes.Select(process => process.StartAsync()));
            await table.UntilAllDoneAsync();
        }
        finally
        {
            foreach (var process in processes)
                await process.DisposeAsync();
        }

        Assert.Equal(calls, gateway.Effects.Values.Sum());
        Assert.Equal(calls, (await table.MessagesAsync("PaymentProcessed")).Count);
    }

    [Fact]
    public async Task Outcomes_are_kept_while_the_database_refuses_them()
    {
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: false);
        await using var table = await LedgerTable.CreateAsync(servers);
        await using var process = await LedgerProcess.StartAsync(table.ConnectionString, new(gateway.Url, LedgerMode.AtMostOnce));

        await table.ExecuteAsync("ALTER TABLE outbox_message RENAME TO outbox_message_away");
        await process.EnterAsync(Enumerable.Range(0, 8).Select(number => $"pay{number}"));
        await table.UntilAsync(_ => process.Status.Unwritten == 8);
        await table.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await table.ExecuteAsync("ALTER TABLE outbox_message_away RENAME TO outbox_message");
        await table.UntilAsync(rows => rows.All(row => row.State == "done"));

        Assert.Equal(8, gateway.Effects.Values.Sum());
        Assert.Equal(8, (await table.MessagesAsync("PaymentProcessed")).Count);
    }
}
