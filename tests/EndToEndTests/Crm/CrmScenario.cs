using System.Globalization;
using Sagas.EndToEndTests.Chaos;
using Sagas.EndToEndTests.Processes;
using Sagas.TestSupport.Chaos;

namespace Sagas.EndToEndTests.Crm;

/// <summary>The CRM fails in every way and is killed; afterwards it has every customer's newest data, and stored none of them
/// twice.</summary>
internal sealed class CrmScenario(Narration narration, CustomerLoad load, int registered, int kills) : ChaosScenario(narration)
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sagas-crm-");

    // A process of its own, since it is killed: the other simulators keep their books in memory.
    private SimulatorsProcess _crm = null!;

    public override string[] Roles => ["sagas", "crm"];

    public override (string Key, string Value)[] Settings =>
        [
            ("Crm:Enabled", "true"),
            ("Crm:Calls:CallTimeout", "00:00:02"),
            ("Crm:Calls:LeaseMargin", "00:00:02"),
            ("Crm:Calls:MaxBreakerDelay", "00:00:02"),
        ];

    public override string[] Sections =>
        [
            "SELECT current_state, last_name, count(*), max(sync_failure) FROM customer_state GROUP BY 1, 2",
            "SELECT state, count(*), max(attempts), min(due), max(last_outcome), now() FROM outbound_call GROUP BY 1",
            """
                SELECT c.customer_id, c.current_state, c.version, c.synced_version, l.state, l.last_outcome
                FROM customer_state c LEFT JOIN outbound_call l ON l.idempotency_key = c.correlation_id || '/' || c.version
                WHERE c.current_state <> 'Synced' LIMIT 10
                """,
            "SELECT message_type, outbox_id, count(*), max(last_error) FROM outbox_message GROUP BY 1, 2",
        ];

    // One call in five fails, each way alike, and one in five hundred takes longer than the services wait.
    private (string Key, string Value)[] Faults =>
        [
            ("Crm:RecordFile", Path.Combine(_folder.FullName, "crm.jsonl")),
            ("Crm:Faults:RetryAfterSeconds", "0"),
            ("Crm:Faults:Latency:MinMs", "1"),
            ("Crm:Faults:Latency:MaxMs", "5"),
            ("Crm:Faults:SlowRate", "0.002"),
            ("Crm:Faults:SlowMs", "2500"),
            ("Crm:Faults:FailBefore", "0.033"),
            ("Crm:Faults:FailAfter", "0.033"),
            ("Crm:Faults:LostAfter", "0.033"),
            ("Crm:Faults:Garbage", "0.033"),
            ("Crm:Faults:HalfResponse", "0.033"),
            ("Crm:Faults:TooManyRequests", "0.033"),
        ];

    public override IEnumerable<Disturbance> Disturbances(Func<int, double[]> moments) =>
        [
            .. moments(kills).Select(moment => new Disturbance("the CRM", moment, "SIGKILL", _crm.KillAndStartAsync)),
            .. moments(1).Select(moment => new Disturbance("the CRM's work", moment, "stop for 2 s", GoDownAsync)),
        ];

    public override async Task WorkAsync()
    {
        await Task.WhenAll(
            Broker.PublishAsync(Running.RabbitMq, CustomerLoad.Registrations(0, registered, 1), Eventually.Cancellation()),
            IngestAsync()
        );
        Narration.Say("all customers are queued");
        await Eventually.MatchesAsync(
            "a tenth of the customers are in the CRM",
            ShareAsync,
            share => share >= 0.1,
            TimeSpan.FromMinutes(10)
        );
        await Broker.PublishAsync(Running.RabbitMq, load.Changes, Eventually.Cancellation());
        Narration.Say("all changes are published");
    }

    // The customers of other scenarios are in the CRM too.
    public override async Task<double> ShareAsync() =>
        Math.Min(1, (await _crm.GetAsync("/crm/summary")).GetProperty("effects").GetDouble() / load.Customers);

    public override async Task<string> UnsettledAsync()
    {
        var counts = await Running.QueryAsync<string>(
            """
            SELECT concat_ws(', ',
                (SELECT count(*) FROM customer_state
                 WHERE current_state = 'Synced' AND synced_version = version AND last_name IN ('v1', 'v2')) || ' synced',
                (SELECT count(*) FROM customer_state WHERE last_name = 'v2') || ' changed',
                (SELECT count(*) FROM outbound_call WHERE target = 'crm' AND due IS NOT NULL) || ' calls due',
                (SELECT count(*) FROM outbox_message) || ' in the outbox')
            """
        );
        var settled = $"{load.Customers} synced, {load.MaxEffects - load.Customers} changed, 0 calls due, 0 in the outbox";
        return counts == settled ? "" : counts;
    }

    public override async Task BalanceAsync()
    {
        var mistakes = new List<string>();
        var stored = await StoredAsync();
        await using var command = Running.Database.CreateCommand(
            $"SELECT customer_id, version FROM customer_state WHERE customer_id LIKE '{CustomerLoad.Prefix}%'"
        );
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var id = reader.GetString(0);
            var expected = (reader.GetInt32(1), load.LastName(CustomerLoad.NumberOf(id)));
            if (!stored.TryGetValue(id, out var found))
                mistakes.Add($"{id} is missing");
            else if (found != expected)
                mistakes.Add($"{id} is {found} instead of {expected}");
        }

        var summary = await _crm.GetAsync("/crm/summary");
        foreach (var name in (string[])["calls", "effects", "replays", "faults"])
            Narration.Say($"{name} at the CRM", summary.GetProperty(name).GetInt64());
        var repeated = await Running.QueryAsync<long>("SELECT count(*) FROM outbound_call WHERE target = 'crm' AND attempts > 1");
        Narration.Say("calls made more than once", repeated);
        foreach (var name in (string[])["duplicateEffects", "staleEffects", "rejected"])
        {
            if (summary.GetProperty(name).GetInt64() is var count and not 0)
                mistakes.Add($"{name}: {count}");
        }

        Assert.Equal(load.Customers, stored.Count);
        Assert.True(mistakes.Count == 0, $"{mistakes.Count} mistakes:\n{string.Join('\n', mistakes.Take(20))}");
    }

    public override async ValueTask DisposeAsync()
    {
        if (_crm is not null)
            await _crm.DisposeAsync();
        _folder.Delete(recursive: true);
        await base.DisposeAsync();
    }

    protected override async Task PrepareAsync()
    {
        _crm = await SimulatorsProcess.StartAsync(Faults);
        Running.Configure("Crm:Url", new Uri(_crm.Address, "/crm").ToString());
    }

    private async Task IngestAsync()
    {
        var path = Path.Combine(_folder.FullName, "customers.csv");
        await File.WriteAllLinesAsync(path, CustomerLoad.Rows(registered, load.Customers));
        // The command fails where it finds no database to begin with, and its user repeats it.
        await Eventually.PassesAsync("the file is ingested", () => Running.RunCommandAsync("files", "ingest", path));
    }

    // The CRM may be killed at this moment.
    private Task GoDownAsync() =>
        Eventually.TrueAsync(
            "the CRM is down",
            async () =>
            {
                await _crm.PostAsync("/crm/down?seconds=2");
                return true;
            }
        );

    private async Task<Dictionary<string, (int Version, string LastName)>> StoredAsync()
    {
        var stored = new Dictionary<string, (int Version, string LastName)>();
        await foreach (var customer in _crm.ListAsync("/crm/stored"))
        {
            var id = customer.GetProperty("customerId").GetString()!;
            if (id.StartsWith(CustomerLoad.Prefix, StringComparison.Ordinal))
                stored[id] = (customer.GetProperty("version").GetInt32(), customer.GetProperty("lastName").GetString()!);
        }

        return stored;
    }
}
