using System.Globalization;
using Sagas.EndToEndTests.Chaos;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Alerts;

/// <summary>Alerts go to a receiver that fails in every way; afterwards every user was alerted once.</summary>
internal sealed class AlertScenario(Narration narration, int rows, int perSecond) : ChaosScenario(narration)
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sagas-alerts-");

    public override string[] Roles => ["alerts"];

    public override (string Key, string Value)[] Settings =>
        [
            ("Alerts:Folder", _folder.FullName),
            ("Alerts:Limit:PerSecond", perSecond.ToString(CultureInfo.InvariantCulture)),
            ("Alerts:Calls:CallTimeout", "00:00:03"),
            ("Alerts:Calls:LeaseMargin", "00:00:02"),
            (
                "Alerts:RetrySchedule",
                "0:0:0,0:0:0.1,0:0:0.2,0:0:0.5,0:0:1,0:0:1,0:0:2,0:0:2,0:0:3,0:0:3,0:0:5,0:0:5,0:0:5,0:0:5,0:0:5,0:0:5"
            ),
        ];

    // One request in five fails: before and after its effect, and with answers of every kind.
    public override (string Key, string Value)[] SimulatorSettings =>
        [
            ("Webhooks:Behaviour:PerSecond", "0"),
            ("Webhooks:Faults:FailBefore", "0.04"),
            ("Webhooks:Faults:TooManyRequests", "0.02"),
            ("Webhooks:Faults:RetryAfterSeconds", "0"),
            ("Webhooks:Faults:FailAfter", "0.04"),
            ("Webhooks:Faults:LostAfter", "0.04"),
            ("Webhooks:Faults:Garbage", "0.03"),
            ("Webhooks:Faults:HalfResponse", "0.03"),
            ("Webhooks:Faults:Latency:MaxMs", "20"),
        ];

    public override string[] Sections =>
        [
            "SELECT state, last_answer, count(*) FROM alert_delivery GROUP BY 1, 2",
            "SELECT state, count(*), max(attempts), min(due), now() FROM outbound_call GROUP BY 1",
            "SELECT * FROM alert_files_overview",
        ];

    public override async Task WorkAsync()
    {
        var part = Path.Combine(_folder.FullName, "alerts.csv.part");
        var lines = Enumerable.Range(1, rows).Select(number => $"user-{number},Order {number} has been placed");
        await File.WriteAllLinesAsync(part, lines);
        File.Move(part, Path.Combine(_folder.FullName, "alerts.csv"));
    }

    public override async Task<double> ShareAsync() =>
        (await Running.Simulators.GetAsync("/webhooks/summary")).GetProperty("alerted").GetDouble() / rows;

    public override async Task<string> UnsettledAsync()
    {
        var counts = await Running.QueryAsync<string>(
            """
            SELECT concat_ws(', ',
                (SELECT count(*) FROM outbound_call WHERE target = 'alert-webhook' AND state = 'done') || ' delivered',
                (SELECT count(*) FROM alert_delivery WHERE state <> 'delivered') || ' open',
                (SELECT coalesce(sum(rows), 0) FROM alert_files_overview WHERE state = 'completed') || ' rows enqueued')
            """
        );
        return counts == $"{rows} delivered, 0 open, {rows} rows enqueued" ? "" : counts;
    }

    public override async Task BalanceAsync()
    {
        var alerted = new Dictionary<string, int>();
        var (requests, repeated) = (0, 0);
        await foreach (var record in Running.Simulators.ListAsync("/webhooks/records"))
        {
            requests++;
            var outcome = record.GetProperty("outcome").GetString();
            if (outcome == "Repeated")
            {
                repeated++;
            }
            else if (outcome == "Alerted")
            {
                var user = record.GetProperty("userId").GetString()!;
                alerted[user] = alerted.GetValueOrDefault(user) + 1;
            }
        }

        Narration.Say("rows", rows);
        Narration.Say("requests", requests);
        Narration.Say("webhook-ids the receiver knew", repeated);
        Assert.Equal(Enumerable.Range(1, rows).Select(number => $"user-{number}").Order(), alerted.Keys.Order());
        Assert.All(alerted, user => Assert.Equal(1, user.Value));
    }

    public override ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return base.DisposeAsync();
    }
}
