using System.Diagnostics;
using System.Diagnostics.Metrics;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.Services.ObjectStatus;

/// <summary>The instruments of the callback, the fetching and the sweep, in meter <c>Sagas</c>.</summary>
internal sealed class ObjectStatusMetrics
{
    private readonly Meter _meter;
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _shared;
    private readonly Counter<long> _expired;
    private readonly Histogram<double> _calls;

    public ObjectStatusMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("Sagas");
        _accepted = _meter.CreateCounter<long>(
            "sagas.object_status.accepted",
            "{object}",
            "Ids that callbacks were told are safe."
        );
        _calls = _meter.CreateHistogram<double>(
            "sagas.object_status.call.duration",
            "s",
            "Calls to the status API by what came of them."
        );
        _shared = _meter.CreateCounter<long>(
            "sagas.object_status.shared",
            "{message}",
            "Messages that shared the call of another."
        );
        _expired = _meter.CreateCounter<long>(
            "sagas.object_status.expired",
            "{object}",
            "Objects removed because they were not seen for long."
        );
    }

    public void Accepted(int ids) => _accepted.Add(ids);

    public void Called(StatusKind kind, TimeSpan took) =>
        _calls.Record(took.TotalSeconds, new TagList { { "outcome", kind.ToString() } });

    public void WasShared() => _shared.Add(1);

    public void Expired(int objects) => _expired.Add(objects);

    public void Observe(Func<int> inFlight, Func<int> isBroken)
    {
        _meter.CreateObservableGauge("sagas.object_status.in_flight", inFlight, "{call}", "Calls to the status API in flight.");
        _meter.CreateObservableGauge(
            "sagas.object_status.breaker",
            isBroken,
            "{state}",
            "Circuit breaker: 0 closed, 1 open or probing."
        );
    }
}
