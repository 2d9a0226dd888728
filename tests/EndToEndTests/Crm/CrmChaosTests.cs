using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Crm;

/// <summary>The CRM fails in every way, and it and the services are killed at random; afterwards the CRM has every customer's
/// newest data, and stored none of them twice.</summary>
public sealed class CrmChaosTests(ITestOutputHelper output)
{
    private const int Processes = 2;

    private static readonly TimeSpan _longestStall = TimeSpan.FromSeconds(90);

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };

    [Fact]
    [Trait("Category", "Chaos")]
    public Task Every_customer_reaches_the_CRM_once_when_it_and_the_services_are_killed() =>
        RunAsync(new CustomerLoad(2_000, 300), registered: 700, kills: 3, Eventually.Timeout);

    [Fact]
    [Trait("Category", "ChaosFull")]
    public Task A_hundred_thousand_customers_reach_the_CRM_once_with_twenty_kills_of_each() =>
        RunAsync(new CustomerLoad(100_000, 5_000), registered: 5_000, kills: 20, TimeSpan.FromMinutes(3));

    private async Task RunAsync(CustomerLoad load, int registered, int kills, TimeSpan patience)
    {
        var seed = Environment.GetEnvironmentVariable("SAGAS_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        Say($"SAGAS_TEST_SEED={seed}");
        var record = Path.Combine(Directory.CreateTempSubdirectory("sagas-crm-").FullName, "crm.jsonl");
        var starting = PrivatePostgres.StartAsync();
        await using var rabbitMq = await PrivateRabbitMq.StartAsync();
        await using var postgres = await starting;
        await using var system = new RunningSystem(
            await postgres.CreateDatabaseAsync("sagas"), rabbitMq.Uri,
            ("Crm:Enabled", "true"), ("Crm:Calls:CallTimeout", "00:00:02"), ("Crm:Calls:LeaseMargin", "00:00:02"), ("Crm:Calls:BreakCap", "00:00:02"));
        var faults = Faults(record);
        await system.StartSimulatorsAsync(faults);
        var services = await Task.WhenAll(Enumerable.Range(1, Processes).Select(system.StartServicesAsync));
        await Task.WhenAll(services.Select(service => service.ReadyAsync()));
        Say("everything runs");

        var random = new Random(seed);
        var started = _watch.Elapsed;
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        await Task.WhenAll(
            FeedAsync(system, load, registered, stop.Token),
            KillAsync(system, load, kills, random, "services", async () =>
            {
                var number = Next(random, 1, Processes + 1);
                await system.Service(number).KillAsync();
                await system.StartServicesAsync(number);
            }),
            KillAsync(system, load, kills, random, "the CRM", async () =>
            {
                await system.KillSimulatorsAsync();
                await system.StartSimulatorsAsync(faults);
            }),
            KillAsync(system, load, 1, random, "the CRM's work for 2 s", () => GoDownAsync(system)));
        Say("the last disturbance is over");
        await SettledAsync(system, load, patience);
        var took = _watch.Elapsed - started;
        await BalancesAsync(system, load);
        await SummariseAsync(system, load, took);
        Directory.Delete(Path.GetDirectoryName(record)!, recursive: true);
    }

    // One call in five fails, each way alike, and one in fifty takes longer than anybody waits.
    private static Dictionary<string, string> Faults(string record)
    {
        var faults = new Dictionary<string, string>
        {
            ["Crm:RecordFile"] = record,
            ["Crm:Faults:RetryAfterSeconds"] = "0",
            ["Crm:Faults:Latency:MinMs"] = "1",
            ["Crm:Faults:Latency:MaxMs"] = "5",
            ["Crm:Faults:SlowRate"] = "0.002",
            ["Crm:Faults:SlowMs"] = "2500",
        };
        foreach (var kind in (string[])["FailBefore", "FailAfter", "LostAfter", "Garbage", "HalfResponse", "TooManyRequests"])
            faults["Crm:Faults:" + kind] = "0.033";
        return faults;
    }

    private async Task FeedAsync(RunningSystem system, CustomerLoad load, int registered, CancellationToken stop)
    {
        await Task.WhenAll(
            Broker.PublishAsync(system.RabbitMq, CustomerLoad.Registrations(0, registered, 1), stop),
            CustomerLoad.InsertAsync(system.Database, system.RabbitMq, registered, load.Customers, stop));
        Say("all customers are queued");
        await ReachAsync(system, load, 0.1);
        await Broker.PublishAsync(system.RabbitMq, load.Changes, stop);
        Say("all changes are published");
    }

    private async Task KillAsync(RunningSystem system, CustomerLoad load, int times, Random random, string whom, Func<Task> kill)
    {
        // The last tenth is left alone: a disturbance after the end of the work would test nothing.
        double[] moments;
        lock (random)
            moments = [.. Enumerable.Range(0, times).Select(_ => random.NextDouble() * 0.9).Order()];
        foreach (var moment in moments)
        {
            await ReachAsync(system, load, moment);
            Say($"{moment:P0}: ends {whom}");
            await kill();
        }
    }

    private static int Next(Random random, int least, int limit)
    {
        lock (random)
            return random.Next(least, limit);
    }

    private async Task ReachAsync(RunningSystem system, CustomerLoad load, double share)
    {
        var (sinceProgress, last) = (Stopwatch.StartNew(), -1L);
        while (true)
        {
            var effects = await SummaryAsync(system) is { } summary ? summary.GetProperty("effects").GetInt64() : last;
            if (effects >= share * load.Customers)
                return;
            if (effects > last)
                sinceProgress.Restart();
            last = Math.Max(last, effects);
            if (sinceProgress.Elapsed > _longestStall)
                Assert.Fail($"The CRM has {last} and none more in {_longestStall.TotalSeconds:0} s.\n{await DescribeAsync(system)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    private async Task GoDownAsync(RunningSystem system)
    {
        while (true)
        {
            try
            {
                (await _http.PostAsync(new Uri(system.Gateway, "/crm/down?seconds=2"), null)).Dispose();
                return;
            }
            catch (HttpRequestException)
            {
                // It is being killed at this moment.
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }
        }
    }

    private async Task SettledAsync(RunningSystem system, CustomerLoad load, TimeSpan patience)
    {
        var settled = $"""
            SELECT (SELECT count(*) FROM customer_state WHERE current_state = 'Synced' AND synced_version = version AND last_name IN ('v1', 'v2')) = {load.Customers}
               AND (SELECT count(*) FROM customer_state WHERE last_name = 'v2') = {load.MostEffects - load.Customers}
               AND NOT EXISTS (SELECT FROM ledger WHERE due IS NOT NULL) AND NOT EXISTS (SELECT FROM outbox_message)
            """;
        for (var watch = Stopwatch.StartNew(); !await system.QueryAsync<bool>(settled); await Task.Delay(200))
        {
            if (watch.Elapsed > patience)
                Assert.Fail($"Not everything came to its end within {patience.TotalSeconds:0} s.\n{await DescribeAsync(system)}");
        }
    }

    private async Task BalancesAsync(RunningSystem system, CustomerLoad load)
    {
        var mistakes = new List<string>();
        var stored = new Dictionary<string, (int Version, string LastName)>();
        await foreach (var customer in _http.GetFromJsonAsAsyncEnumerable<JsonElement>(new Uri(system.Gateway, "/crm/stored")))
            stored[customer.GetProperty("customerId").GetString()!] = (customer.GetProperty("version").GetInt32(), customer.GetProperty("lastName").GetString()!);
        await using var command = system.Database.CreateCommand("SELECT customer_id, version FROM customer_state");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var id = reader.GetString(0);
            var expected = (reader.GetInt32(1), load.LastName(int.Parse(id.AsSpan(2), CultureInfo.InvariantCulture)));
            if (!stored.TryGetValue(id, out var found))
                mistakes.Add($"{id} is missing");
            else if (found != expected)
                mistakes.Add($"{id} is {found} instead of {expected}");
        }

        var summary = (await SummaryAsync(system))!.Value;
        foreach (var name in (string[])["duplicateEffects", "staleEffects", "rejected"])
        {
            if (summary.GetProperty(name).GetInt64() is var count and not 0)
                mistakes.Add($"{name}: {count}");
        }

        Assert.Equal(load.Customers, stored.Count);
        Assert.True(mistakes.Count == 0, $"{mistakes.Count} mistakes:\n{string.Join('\n', mistakes.Take(20))}");
        Say("the books balance");
    }

    private async Task SummariseAsync(RunningSystem system, CustomerLoad load, TimeSpan took)
    {
        var summary = (await SummaryAsync(system))!.Value;
        foreach (var name in (string[])["calls", "effects", "replays", "faults", "duplicateEffects", "staleEffects"])
            Say(string.Create(CultureInfo.InvariantCulture, $"{name,-36}{summary.GetProperty(name).GetInt64(),10:N0}"));
        Say(string.Create(CultureInfo.InvariantCulture, $"{"customers",-36}{load.Customers,10:N0}"));
        Say(string.Create(CultureInfo.InvariantCulture, $"{"seconds until all was settled",-36}{took.TotalSeconds,10:N0}"));
        var repeated = await system.QueryAsync<long>("SELECT count(*) FROM ledger WHERE attempts > 1");
        Say(string.Create(CultureInfo.InvariantCulture, $"{"calls made more than once",-36}{repeated,10:N0}"));
    }

    // Null while the CRM is being killed.
    private async Task<JsonElement?> SummaryAsync(RunningSystem system)
    {
        try
        {
            return await _http.GetFromJsonAsync<JsonElement>(new Uri(system.Gateway, "/crm/summary"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException or JsonException)
        {
            return null;
        }
    }

    private static async Task<string> DescribeAsync(RunningSystem system)
    {
        var lines = new List<string>();
        foreach (var sql in (string[])
        [
            "SELECT current_state, last_name, count(*), max(sync_failure) FROM customer_state GROUP BY 1, 2",
            "SELECT state, count(*), max(attempts), min(due), max(last_outcome), now() FROM ledger GROUP BY 1",
            "SELECT c.customer_id, c.current_state, c.version, c.synced_version, l.state, l.last_outcome FROM customer_state c LEFT JOIN ledger l ON l.idempotency_key = c.correlation_id || '/' || c.version WHERE c.current_state <> 'Synced' LIMIT 10",
            "SELECT message_type, outbox_id, count(*), max(last_error) FROM outbox_message GROUP BY 1, 2",
        ])
        {
            try
            {
                lines.AddRange(await system.LinesAsync(sql));
            }
            catch (NpgsqlException e)
            {
                lines.Add(e.Message);
            }
        }

        return string.Join('\n', lines.Concat(system.Services.Select(service => $"-- {service.Name}:\n{service.LastLines(15)}")));
    }

    private void Say(string text)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{_watch.Elapsed.TotalSeconds,7:0.0} s  {text}");
        output.WriteLine(line);
        Console.WriteLine(line);
    }
}
