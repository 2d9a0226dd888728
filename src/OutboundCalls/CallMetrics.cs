using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sagas.OutboundCalls;

/// <summary>The instruments of outbound calls, in meter <c>Sagas</c>.</summary>
internal sealed class CallMetrics
{
    private readonly Counter<long> _calls;
    private readonly Histogram<double> _duration;

    public CallMetrics(IMeterFactory meters, OutboundCallStatus status)
    {
        var meter = meters.Create("Sagas");
        _calls = meter.CreateCounter<long>("sagas.outbound_calls.completed", "{call}", "Calls to third parties by outcome.");
        _duration = meter.CreateHistogram<double>("sagas.outbound_calls.duration", "s", "Duration of calls to third parties.");
        Gauge("in_flight", "{call}", "Calls in flight.", target => target.InFlight);
        Gauge("limit", "{call}", "Concurrent calls that the adaptive limiter allows.", target => target.Limit);
        Gauge("unwritten", "{call}", "Outcomes not yet written to the database.", target => target.Unwritten);
        Gauge("blocked", "s", "Seconds until the next call may start.", target => (long)target.BlockedFor.TotalSeconds);
        Gauge(
            "breaker",
            "{state}",
            "Circuit breaker: 0 closed, 1 half-open, 2 open.",
            target =>
                target.Breaker switch
                {
                    "Closed" => 0,
                    "HalfOpen" => 1,
                    _ => 2,
                }
        );

        void Gauge(string name, string unit, string description, Func<CallTargetStatus, long> read) =>
            meter.CreateObservableGauge(
                "sagas.outbound_calls." + name,
                () => status.Targets.Select(target => Measure(target, read)),
                unit,
                description
            );
    }

    public void Record(string target, CallOutcomeKind outcome, TimeSpan took)
    {
        var tags = new TagList { { "target", target }, { "outcome", outcome.ToString() } };
        _calls.Add(1, tags);
        _duration.Record(took.TotalSeconds, tags);
    }

    private static Measurement<long> Measure(CallTargetStatus target, Func<CallTargetStatus, long> read) =>
        new(read(target), new TagList { { "target", target.Target } });
}
