using System.Globalization;
using Sagas.EndToEndTests.Processes;
using Sagas.TestSupport.Chaos;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Alarms;

/// <summary>Processes and servers die at random while alarms change and digests go out; afterwards every change was told
/// once.</summary>
[Collection(ChaosCollections.First)]
public sealed class AlarmChaosTests(KillableServers servers, ITestOutputHelper output) : SystemChaosTest(servers, output)
{
    private const int Producers = 4;
    private const int PartSize = 1_000;

    private AlarmWorkload _workload = null!;
    private ServiceQueues _queues = null!;
    private bool _isAllRequested;
    private int _kills;
    private int _restarts;
    private int _published;

    [PrivateServersFact]
    [Trait("Category", "Chaos")]
    public Task No_change_is_lost_or_told_twice_when_services_are_killed_and_servers_restart() =>
        RunAsync(users: 200, alarms: 10, changes: 10_000, requests: 200, kills: 1, restarts: 1, Eventually.Timeout);

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task No_change_is_lost_or_told_twice_of_a_million_with_ten_kills() =>
        RunAsync(users: 5_000, alarms: 20, changes: 1_000_000, requests: 10_000, kills: 10, restarts: 3, TimeSpan.FromMinutes(5));

    private protected override (string Key, string Value)[] Settings => [("Roles", "alarms")];

    private protected override string[] Sections =>
        [
            "SELECT count(*), max(changed_at) FROM alarm",
            "SELECT to_tell, count(*) FROM alarms_overview GROUP BY 1",
            "SELECT message_type, outbox_id, count(*), max(last_error) FROM outbox_message GROUP BY 1, 2",
        ];

    private int Parts => _workload.Arrival.Length / PartSize;

    protected override Task PrepareAsync()
    {
        _queues = new ServiceQueues(Running, "AlarmStatusChanged", "SendAlarmDigest");
        return Task.CompletedTask;
    }

    protected override IEnumerable<Disturbance> Plan() =>
        [.. KillServices(_kills), .. RestartRabbitMq(_restarts), .. RestartPostgres(_restarts)];

    protected override async Task WorkAsync()
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Parts),
            new ParallelOptions { MaxDegreeOfParallelism = Producers },
            async (part, stop) =>
            {
                await Broker.PublishAsync(Running.RabbitMq, [.. _workload.Part(part, Parts)], stop);
                Interlocked.Increment(ref _published);
            }
        );
        Narration.Say($"{_workload.Arrival.Length} changes are published");
    }

    protected override Task<double> ShareAsync() => Task.FromResult(Volatile.Read(ref _published) / (double)Parts);

    protected override async Task<string> UnsettledAsync()
    {
        if (!await Running.QueryAsync<bool>(NewestSql()))
            return "not every alarm is as of its newest change";
        if (!_isAllRequested)
        {
            var requests = Enumerable.Range(0, _workload.Users).Select(AlarmWorkload.Request).ToArray();
            await Broker.PublishAsync(Running.RabbitMq, requests, Eventually.Cancellation());
            _isAllRequested = true;
        }

        var untold = await Running.QueryAsync<long>(
            "SELECT (SELECT count(*) FROM alarms_overview WHERE to_tell) + (SELECT count(*) FROM outbox_message)"
        );
        return untold > 0 ? $"{untold} changes and messages are untold" : await _queues.DescribeFilledAsync();
    }

    protected override async Task BalanceAsync()
    {
        // Every change that was reported is done once the newest of its alarm is known, which was awaited.
        await _queues.HoldNothingNewAsync(message => message.Queue == "AlarmStatusChanged");
        var audit = new DigestAudit(Running, _workload);
        await audit.BalancesAsync();
        Narration.Say("changes", _workload.Reports.Length);
        Narration.Say("  reported twice", _workload.Arrival.Length - _workload.Reports.Length);
        Narration.Say("digests asked for", _workload.Requests + _workload.Users);
        Narration.Say("digests", audit.Digests);
        Narration.Say("  delivered again (same id)", audit.Repeated);
        Narration.Say("alarms told", audit.TellingsOfAlarms);
    }

    private Task RunAsync(int users, int alarms, int changes, int requests, int kills, int restarts, TimeSpan timeout)
    {
        _workload = new AlarmWorkload(users, alarms, changes, requests, Narration.Random);
        (_kills, _restarts) = (kills, restarts);
        return RunAsync(timeout);
    }

    private string NewestSql() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT count(*) = {_workload.Newest.Count}
               AND sum((changed_at - {Report.Start}) * 1000000000) = {_workload.Newest.Values.Sum(number =>
                (long)number
            )} FROM alarm
            """
        );
}
