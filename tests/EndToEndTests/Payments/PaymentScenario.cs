using Sagas.EndToEndTests.Chaos;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Payments;

/// <summary>Payments are made, many before their customer is known; afterwards every payment was made once.</summary>
internal sealed class PaymentScenario(Narration narration, int customers, int payments) : ChaosScenario(narration)
{
    // Every transition then names the process that wrote it; the services do not notice.
    private const string SignTransitions =
        "ALTER TABLE saga_transition ADD COLUMN written_by text NOT NULL DEFAULT current_setting('application_name')";

    private readonly Workload _workload = new(customers, payments, narration.Random);
    private Settlement _settlement = null!;

    public override string[] Roles => ["sagas", "payments"];

    // Beside the failures, the gateway's usual time: 2 to 20 ms, and now and then a third of a second.
    public override (string Key, string Value)[] SimulatorSettings =>
        [
            ("Gateway:Faults:FailBefore", "0.05"),
            ("Gateway:Faults:LostAfter", "0.05"),
            ("Gateway:Faults:TooManyRequests", "0.02"),
            ("Gateway:Faults:Latency:MinMs", "2"),
            ("Gateway:Faults:Latency:MaxMs", "20"),
            ("Gateway:Faults:SlowRate", "0.02"),
            ("Gateway:Faults:SlowMs", "300"),
        ];

    public override string[] Sections => Settlement.Sections;

    public override async Task WorkAsync()
    {
        var losses = await Broker.PublishAsync(Running.RabbitMq, _workload.Messages, Eventually.Cancellation());
        Narration.Say($"{_workload.Messages.Count} messages are published; the producer lost {losses} connections");
    }

    public override async Task<double> ShareAsync()
    {
        var summary = await Running.SummaryAsync();
        var settled = summary.GetProperty("effects").GetInt64() + summary.GetProperty("declines").GetInt64();
        return (double)settled / _workload.Orders.Count;
    }

    public override Task<string> UnsettledAsync() => _settlement.DescribeUnsettledAsync();

    public override async Task BalanceAsync()
    {
        await _settlement.QueuesHoldNothingNewAsync();
        var audit = new Audit(Running, _workload);
        await audit.BalancesAsync();
        await TellWhoWorkedAsync();
        await SummariseAsync(audit);
    }

    public override Task<string> DescribeAsync() => _settlement.DescribeAsync();

    protected override async Task PrepareAsync()
    {
        _settlement = new Settlement(Running, _workload);
        await PaymentEvents.ListenAsync(Running.RabbitMq);
        await Running.ExecuteAsync(SignTransitions);
    }

    // No check: a process that is killed at the beginning may be back when the work is done.
    private async Task TellWhoWorkedAsync()
    {
        foreach (var name in Running.Services.Select(service => service.Name))
        {
            var written = await Running.QueryAsync<long>($"SELECT count(*) FROM saga_transition WHERE written_by = '{name}'");
            Narration.Say($"transitions by {name}", written);
        }
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
