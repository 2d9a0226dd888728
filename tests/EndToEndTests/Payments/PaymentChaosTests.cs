using Sagas.EndToEndTests.Processes;
using Sagas.TestSupport.Chaos;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Payments;

/// <summary>Processes and servers die at random while payments are made; afterwards every payment was made once.</summary>
[Collection(ChaosCollections.First)]
public sealed class PaymentChaosTests(KillableServers servers, ITestOutputHelper output) : SystemChaosTest(servers, output)
{
    // Beside the failures, the gateway's usual time: 2 to 20 ms, and now and then a third of a second.
    private static readonly (string, string)[] _faults =
    [
        ("FailBefore", "0.05"),
        ("LostAfter", "0.05"),
        ("TooManyRequests", "0.02"),
        ("Latency:MinMs", "2"),
        ("Latency:MaxMs", "20"),
        ("SlowRate", "0.02"),
        ("SlowMs", "300"),
    ];

    private Workload _workload = null!;
    private Settlement _settlement = null!;
    private int _kills;
    private int _restarts;

    [PrivateServersFact]
    [Trait("Category", "Chaos")]
    public Task Nothing_is_lost_or_done_twice_when_services_are_killed_and_servers_restart() =>
        RunAsync(customers: 300, payments: 600, kills: 2, restarts: 1, Eventually.Timeout);

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task Nothing_is_lost_or_done_twice_in_twenty_thousand_payments_with_twenty_kills() =>
        RunAsync(customers: 10_000, payments: 20_000, kills: 20, restarts: 3, TimeSpan.FromMinutes(5));

    private protected override string[] Sections => [];

    protected override async Task PrepareAsync()
    {
        _settlement = new Settlement(Running, _workload);
        await Task.WhenAll(Running.StartGatewayAsync(_faults), PaymentEvents.ListenAsync(Running.RabbitMq));
    }

    protected override IEnumerable<Disturbance> Plan() =>
        [.. KillServices(_kills), .. RestartRabbitMq(_restarts), .. RestartPostgres(_restarts)];

    protected override async Task WorkAsync()
    {
        var losses = await Broker.PublishAsync(Running.RabbitMq, _workload.Messages, Eventually.Cancellation());
        Narration.Say($"{_workload.Messages.Count} messages are published; the producer lost {losses} connections");
    }

    protected override async Task<double> ShareAsync()
    {
        var summary = await Running.SummaryAsync();
        var settled = summary.GetProperty("effects").GetInt64() + summary.GetProperty("declines").GetInt64();
        return (double)settled / _workload.Orders.Count;
    }

    protected override Task<string> UnsettledAsync() => _settlement.DescribeUnsettledAsync();

    protected override async Task BalanceAsync()
    {
        await _settlement.QueuesHoldNothingNewAsync();
        var audit = new Audit(Running, _workload);
        await audit.BalancesAsync();
        await SummariseAsync(audit);
    }

    protected override Task<string> DescribeAsync() => _settlement.DescribeAsync();

    private Task RunAsync(int customers, int payments, int kills, int restarts, TimeSpan timeout)
    {
        (_workload, _kills, _restarts) = (new Workload(customers, payments, Narration.Random), kills, restarts);
        return RunAsync(timeout);
    }

    private async Task SummariseAsync(Audit audit)
    {
        var gateway = await Running.SummaryAsync();
        Narration.Say("payments", _workload.Orders.Count);
        string[] names = ["requests", "faults", "replays", "effects", "declines", "duplicateEffects", "duplicatePayments"];
        foreach (var name in names)
            Narration.Say($"{name} at the gateway", gateway.GetProperty(name).GetInt64());
        Narration.Say("calls tried more than once", audit.RetriedCalls);
        Narration.Say("events delivered again (same id)", audit.RepeatedEvents);
    }
}
