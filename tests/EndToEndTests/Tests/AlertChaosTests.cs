using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Tests;

/// <summary>Senders die at random while a receiver fails in every way; afterwards every user was alerted once.</summary>
public sealed class AlertChaosTests(ITestOutputHelper output)
{
    private const int Senders = 2;

    // One request in five fails: before and after its effect, and with answers of every kind.
    private static readonly Dictionary<string, string> _receiver = new()
    {
        ["Webhooks:Behaviour:PerSecond"] = "0",
        ["Webhooks:Faults:FailBefore"] = "0.04",
        ["Webhooks:Faults:TooManyRequests"] = "0.02",
        ["Webhooks:Faults:RetryAfterSeconds"] = "0",
        ["Webhooks:Faults:FailAfter"] = "0.04",
        ["Webhooks:Faults:LostAfter"] = "0.04",
        ["Webhooks:Faults:Garbage"] = "0.03",
        ["Webhooks:Faults:HalfResponse"] = "0.03",
        ["Webhooks:Faults:Latency:MaxMs"] = "20",
    };

    private static readonly TimeSpan _looksEvery = TimeSpan.FromMilliseconds(200);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    [Fact]
    [Trait("Category", "Chaos")]
    public Task Each_user_is_alerted_once_when_senders_are_killed() => RunAsync(rows: 3_000, kills: 3, 2 * Eventually.Timeout);

    [Fact]
    [Trait("Category", "ChaosFull")]
    public Task Each_of_fifty_thousand_users_is_alerted_once_with_twenty_kills() => RunAsync(rows: 50_000, kills: 20, TimeSpan.FromMinutes(8));

    private async Task RunAsync(int rows, int kills, TimeSpan patience)
    {
        var seed = Environment.GetEnvironmentVariable("SAGAS_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        Say($"SAGAS_TEST_SEED={seed}");
        using var limit = new CancellationTokenSource(patience);
        var folder = Directory.CreateTempSubdirectory("alerts");
        var starting = PrivatePostgres.StartAsync(limit.Token);
        await using var rabbitMq = await PrivateRabbitMq.StartAsync(limit.Token);
        await using var postgres = await starting;
        await using var system = new RunningSystem(
            await postgres.CreateDatabaseAsync("sagas"), rabbitMq.Uri, ("Roles", "alerts"), ("Alerts:Folder", folder.FullName),
            ("Alerts:AllowedHosts", "127.0.0.1"), ("Alerts:Limit:PerSecond", "1000"), ("Alerts:Calls:CallTimeout", "00:00:03"),
            ("Alerts:Calls:LeaseMargin", "00:00:02"),
            ("Alerts:RetrySchedule", "0:0:0,0:0:0.1,0:0:0.2,0:0:0.5,0:0:1,0:0:1,0:0:2,0:0:2,0:0:3,0:0:3,0:0:5,0:0:5,0:0:5,0:0:5,0:0:5,0:0:5"));
        await system.StartSimulatorsAsync(_receiver);
        foreach (var sender in await Task.WhenAll(Enumerable.Range(1, Senders).Select(system.StartServicesAsync)))
            await sender.ReadyAsync();
        Say("everything runs");
        Write(folder, rows);
        var disturbances = new Disturbances(system, async () => await AlertedAsync(system) / (double)rows, new Random(seed), Say);
        await disturbances.KillServicesAsync(kills, Senders).WaitAsync(limit.Token);

        await UntilDoneAsync(system, rows, limit.Token);
        Say($"done with {disturbances.Kills} kills");
        await CheckAsync(system, rows);
        folder.Delete(recursive: true);
    }

    private static void Write(DirectoryInfo folder, int rows)
    {
        var part = Path.Combine(folder.FullName, "alerts.csv.part");
        File.WriteAllLines(part, Enumerable.Range(1, rows).Select(number => $"user-{number},Order {number} has been placed"));
        File.Move(part, Path.Combine(folder.FullName, "alerts.csv"));
    }

    private async Task UntilDoneAsync(RunningSystem system, int rows, CancellationToken limit)
    {
        var delivered = 0L;
        try
        {
            while (delivered < rows)
            {
                await Task.Delay(_looksEvery, limit);
                delivered = await system.QueryAsync<long>("SELECT count(*) FROM ledger WHERE target = 'alert-webhook' AND state = 'done'");
            }
        }
        catch (OperationCanceledException)
        {
            var states = await system.LinesAsync("SELECT state, last_answer, count(*) FROM alert_delivery GROUP BY 1, 2");
            Assert.Fail($"{delivered} of {rows} delivered. {string.Join("; ", states)}");
        }
    }

    private async Task CheckAsync(RunningSystem system, int rows)
    {
        var alerted = new Dictionary<string, int>();
        var repeated = 0;
        var requests = 0;
        await foreach (var record in _http.GetFromJsonAsAsyncEnumerable<JsonElement>(new Uri(system.Gateway, "/webhooks/records")))
        {
            requests++;
            var outcome = record.GetProperty("outcome").GetString();
            if (outcome == "Repeated")
                repeated++;
            else if (outcome == "Alerted")
                alerted[record.GetProperty("userId").GetString()!] = alerted.GetValueOrDefault(record.GetProperty("userId").GetString()!) + 1;
        }

        Say($"{rows:N0} rows, {requests:N0} requests; the receiver had to recognise a webhook-id {repeated:N0} times");
        Assert.Equal(Enumerable.Range(1, rows).Select(number => $"user-{number}").Order(), alerted.Keys.Order());
        Assert.All(alerted, user => Assert.Equal(1, user.Value));
        Assert.Equal((long)rows, await system.QueryAsync<long>("SELECT rows FROM alert_files_overview WHERE state = 'entered'"));
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM alert_delivery WHERE state <> 'delivered'"));
    }

    private async Task<long> AlertedAsync(RunningSystem system) =>
        (await _http.GetFromJsonAsync<JsonElement>(new Uri(system.Gateway, "/webhooks/summary"))).GetProperty("alerted").GetInt64();

    private void Say(string what) => output.WriteLine($"{_watch.Elapsed.TotalSeconds,6:0.0} s  {what}");
}
