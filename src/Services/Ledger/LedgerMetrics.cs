using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sagas.Services.Ledger;

/// <summary>The ledger's instruments, in meter <c>Sagas</c>.</summary>
internal sealed class LedgerMetrics
{
    private readonly Counter<long> _calls;
    private readonly Histogram<double> _duration;

    public LedgerMetrics(IMeterFactory meters, LedgerStatus status)
    {
        var meter = meters.Create("Sagas");
        _calls = meter.CreateCounter<long>("sagas.ledger.calls", "{call}", "Calls to third parties by what came of them.");
        _duration = meter.CreateHistogram<double>("sagas.ledger.call.duration", "s", "How long calls to third parties take.");
        Gauge("sagas.ledger.in_flight", "{call}", "Calls in flight.", target => target.InFlight);
        Gauge("sagas.ledger.limit", "{call}", "Calls at once that the target has earned.", target => target.Limit);
        Gauge("sagas.ledger.unwritten", "{call}", "Outcomes that wait for the database.", target => target.Unwritten);
        Gauge("sagas.ledger.blocked", "s", "How much longer no call starts.", target => (long)target.BlockedFor.TotalSeconds);
        Gauge("sagas.ledger.breaker", "{state}", "Circuit breaker: 0 closed, 1 half-open, 2 open.", target => target.Breaker switch
        {
            "Closed" => 0,
            "HalfOpen" => 1,
            _ => 2,
        });

        void Gauge(string name, string unit, string description, Func<LedgerTargetStatus, long> read) =>
            meter.CreateObservableGauge(
                name,
                () => status.Targets.Select(target => new Measurement<long>(read(target), new TagList { { "target", target.Target } })),
                unit,
                description);
    }

    public void Called(string target, LedgerVerdictKind verdict, TimeSpan took)
    {
        var tags = new TagList { { "target", target }, { "outcome", verdict.ToString() } };
        _calls.Add(1, tags);
        _duration.Record(took.TotalSeconds, tags);
    }
}
