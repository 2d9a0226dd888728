namespace Sagas.Simulators.Faults;

/// <summary>
/// Decides what goes wrong with each request to one third party. Settings may change while requests are served; each
/// request keeps those it came in with.
/// </summary>
internal sealed class FaultInjector(FaultSettings initial, TimeProvider timeProvider)
{
    private readonly PlaceQueue _places = new();
    private volatile FaultSettings _settings = initial;
    private int _active;

    public FaultSettings Settings
    {
        get => _settings;
        set => _settings = value;
    }

    public void GoDownFor(TimeSpan duration)
    {
        var until = timeProvider.GetUtcNow() + duration;
        FaultSettings before;
        do
        {
            before = _settings;
        } while (Interlocked.CompareExchange(ref _settings, before with { DownUntil = until }, before) != before);
    }

    /// <summary>A request comes in; dispose the visit when it has been answered.</summary>
    public FaultVisit Enter()
    {
        var current = _settings;
        var concurrent = Interlocked.Increment(ref _active);
        var fault = Draw(current, concurrent);
        var latency = DrawLatency(current);
        var started = timeProvider.GetTimestamp();
        if (current is { MaxConcurrent: > 0, WhenFull: WhenFull.Queue } && fault != Fault.Down)
            started = _places.Take(
                current.MaxConcurrent,
                started,
                (long)(latency.TotalSeconds * timeProvider.TimestampFrequency)
            );
        return new FaultVisit(this, current, fault, latency, started, timeProvider);
    }

    internal void Leave() => Interlocked.Decrement(ref _active);

    private Fault Draw(FaultSettings current, int concurrent)
    {
        if (current.DownUntil is { } until && timeProvider.GetUtcNow() < until)
            return Fault.Down;
        if (current.MaxConcurrent > 0 && concurrent > current.MaxConcurrent && current.WhenFull != WhenFull.Queue)
            return current.WhenFull == WhenFull.Unavailable ? Fault.Busy : Fault.OneTooMany;

        // One draw against the rates laid end to end: each fault then has exactly the configured share.
        var draw = Random.Shared.NextDouble();
        ReadOnlySpan<(Fault Fault, double Rate)> rates =
        [
            (Fault.TooManyRequests, current.TooManyRequests),
            (Fault.FailBefore, current.FailBefore),
            (Fault.FailAfter, current.FailAfter),
            (Fault.LostAfter, current.LostAfter),
            (Fault.Garbage, current.Garbage),
            (Fault.HalfResponse, current.HalfResponse),
        ];
        foreach (var (fault, rate) in rates)
        {
            if (draw < rate)
                return fault;
            draw -= rate;
        }

        return Fault.None;
    }

    private static TimeSpan DrawLatency(FaultSettings current)
    {
        var (min, max) = (current.Latency.MinMs, current.Latency.MaxMs);
        var milliseconds = min + (Random.Shared.NextDouble() * (max - min));
        if (Random.Shared.NextDouble() < current.SlowRate)
            milliseconds += current.SlowMs;
        return TimeSpan.FromMilliseconds(milliseconds);
    }
}
