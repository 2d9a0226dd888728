using System.Globalization;
using Sagas.EndToEndTests.Chaos;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Alarms;

/// <summary>Alarms change and digests are sent; every change is sent once.</summary>
internal sealed class AlarmScenario(Narration narration, int users, int alarms, int changes, int requests)
    : ChaosScenario(narration)
{
    private const int Producers = 4;
    private const int PartSize = 1_000;

    private readonly AlarmWorkload _workload = new(users, alarms, changes, requests, narration.Random);
    private ServiceQueues _queues = null!;
    private bool _isAllRequested;
    private int _published;

    public override string[] Roles => ["alarms"];

    public override string[] Sections =>
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

    public override async Task WorkAsync()
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

    public override Task<double> ShareAsync() => Task.FromResult(Volatile.Read(ref _published) / (double)Parts);

    public override async Task<string> UnsettledAsync()
    {
        if (!await Running.QueryAsync<bool>(NewestSql()))
            return "not every alarm is as of its newest change";
        if (!_isAllRequested)
        {
            var last = Enumerable.Range(0, _workload.Users).Select(AlarmWorkload.Request).ToArray();
            await Broker.PublishAsync(Running.RabbitMq, last, Eventually.Cancellation());
            _isAllRequested = true;
        }

        var unsent = await Running.QueryAsync<long>(
            "SELECT (SELECT count(*) FROM alarms_overview WHERE to_tell) + (SELECT count(*) FROM outbox_message)"
        );
        return unsent > 0 ? $"{unsent} changes and messages are unsent" : await _queues.DescribeFilledAsync();
    }

    public override async Task BalanceAsync()
    {
        // The newest change of each alarm is known, as awaited before; older ones have no effect.
        await _queues.HoldNothingNewAsync(message => message.Queue == "AlarmStatusChanged");
        var audit = new DigestAudit(Running, _workload);
        await audit.BalancesAsync();
        Narration.Say("changes", _workload.Reports.Length);
        Narration.Say("  reported twice", _workload.Arrival.Length - _workload.Reports.Length);
        Narration.Say("digests requested", _workload.Requests + _workload.Users);
        Narration.Say("digests", audit.Digests);
        Narration.Say("  delivered again (same id)", audit.Repeated);
        Narration.Say("alarms in digests", audit.AlarmsInDigests);
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
