using System.Globalization;
using Sagas.EndToEndTests.Processes;
using Sagas.TestSupport.Chaos;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Alerts;

/// <summary>Senders die at random while a receiver fails in every way; afterwards every user was alerted once.</summary>
[Collection(ChaosCollections.Second)]
public sealed class AlertChaosTests(KillableServers servers, ITestOutputHelper output) : SystemChaosTest(servers, output)
{
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

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sagas-alerts-");
    private int _rows;
    private int _kills;
    private int _perSecond;

    [PrivateServersFact]
    [Trait("Category", "Chaos")]
    public Task Each_user_is_alerted_once_when_senders_are_killed() =>
        RunAsync(rows: 800, kills: 1, perSecond: 200, Eventually.Timeout);

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task Each_of_fifty_thousand_users_is_alerted_once_with_twenty_kills() =>
        RunAsync(rows: 50_000, kills: 20, perSecond: 1_000, TimeSpan.FromMinutes(8));

    private protected override (string Key, string Value)[] Settings =>
        [
            ("Roles", "alerts"),
            ("Alerts:Folder", _folder.FullName),
            ("Alerts:AllowedHosts", "127.0.0.1"),
            ("Alerts:Limit:PerSecond", _perSecond.ToString(CultureInfo.InvariantCulture)),
            ("Alerts:Calls:CallTimeout", "00:00:03"),
            ("Alerts:Calls:LeaseMargin", "00:00:02"),
            (
                "Alerts:RetrySchedule",
                "0:0:0,0:0:0.1,0:0:0.2,0:0:0.5,0:0:1,0:0:1,0:0:2,0:0:2,0:0:3,0:0:3,0:0:5,0:0:5,0:0:5,0:0:5,0:0:5,0:0:5"
            ),
        ];

    private protected override string[] Sections =>
        [
            "SELECT state, last_answer, count(*) FROM alert_delivery GROUP BY 1, 2",
            "SELECT state, count(*), max(attempts), min(due), now() FROM outbound_call GROUP BY 1",
            "SELECT * FROM alert_files_overview",
        ];

    protected override Task PrepareAsync() => Running.StartSimulatorsAsync(_receiver);

    protected override IEnumerable<Disturbance> Plan() => KillServices(_kills);

    protected override async Task WorkAsync()
    {
        var part = Path.Combine(_folder.FullName, "alerts.csv.part");
        var rows = Enumerable.Range(1, _rows).Select(number => $"user-{number},Order {number} has been placed");
        await File.WriteAllLinesAsync(part, rows);
        File.Move(part, Path.Combine(_folder.FullName, "alerts.csv"));
    }

    protected override async Task<double> ShareAsync() =>
        (await Running.GetAsync("/webhooks/summary")).GetProperty("alerted").GetDouble() / _rows;

    protected override async Task<string> UnsettledAsync()
    {
        var counts = await Running.QueryAsync<string>(
            """
            SELECT concat_ws(', ',
                (SELECT count(*) FROM outbound_call WHERE target = 'alert-webhook' AND state = 'done') || ' delivered',
                (SELECT count(*) FROM alert_delivery WHERE state <> 'delivered') || ' open',
                (SELECT coalesce(sum(rows), 0) FROM alert_files_overview WHERE state = 'completed') || ' rows enqueued')
            """
        );
        return counts == $"{_rows} delivered, 0 open, {_rows} rows enqueued" ? "" : counts;
    }

    protected override async Task BalanceAsync()
    {
        var alerted = new Dictionary<string, int>();
        var (requests, repeated) = (0, 0);
        await foreach (var record in Running.ListAsync("/webhooks/records"))
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

        Narration.Say("rows", _rows);
        Narration.Say("requests", requests);
        Narration.Say("webhook-ids the receiver knew", repeated);
        Assert.Equal(Enumerable.Range(1, _rows).Select(number => $"user-{number}").Order(), alerted.Keys.Order());
        Assert.All(alerted, user => Assert.Equal(1, user.Value));
        _folder.Delete(recursive: true);
    }

    private Task RunAsync(int rows, int kills, int perSecond, TimeSpan timeout)
    {
        (_rows, _kills, _perSecond) = (rows, kills, perSecond);
        return RunAsync(timeout);
    }
}
