namespace Sagas.OutboundCalls;

/// <summary>
/// How many calls at once a target takes. Adjusted once per window, about a round trip of all calls in flight: slowness shrinks
/// the limit, and so does the share of failed and throttled calls as far as it exceeds the usual share; otherwise it grows.
/// Only the excess counts because fewer calls do not help a target that fails one call in five at random.
/// </summary>
internal sealed class AdaptiveConcurrencyLimiter(OutboundCallOptions options, TimeProvider timeProvider)
{
    private const int MinWindow = 8;
    private const double ThrottledFactor = 0.6;
    private const double SlowFactor = 0.9;
    private const double Growth = 0.1;

    // More than this above the usual share is not chance: far too many calls are made.
    private const double MaxExcessThrottled = 0.25;

    // Slow: a recent latency beyond twice the usual one, plus what a busy machine adds by itself.
    private const double SlowTimes = 2;
    private const double SlowSlackMilliseconds = 20;

    // The recent latency follows about ten calls; the usual one falls as fast but rises over a thousand.
    private const double RecentWeight = 0.1;
    private const double UsualRiseWeight = 0.001;

    // Trouble well below the limit at which there was trouble before is not due to too many calls: it is the usual share,
    // learned over about fifty calls. Trouble above may be, and is never learned as usual: the limit would creep up.
    private const double WellBelow = 0.7;
    private const double UsualRise = 0.02;
    private const double UsualFall = 0.01;
    private const double MaxUsual = 0.5;
    private const double TroubleFades = 0.999;

    // Being paused is expensive: the concurrency that caused a pause is not exceeded again for this many times its length,
    // doubled each time that it happens again.
    private const int CeilingTimes = 30;
    private const int MaxCeilingDoublings = 5;

    private readonly Lock _lock = new();
    private double _limit = options.InitialConcurrency;
    private double _recent;
    private double _usual;
    private double _usualTrouble;
    private double _troubleAt;
    private double _ceiling = double.MaxValue;
    private double _ceilingFound;
    private long _ceilingUntil;
    private int _ceilingHits;
    private bool _starting = true;
    private int _completed;
    private int _failures;
    private int _throttled;
    private int _maxInFlight;
    private int _ignored;

    /// <summary>The limit now, calls in flight.</summary>
    public int Current => (int)Volatile.Read(ref _limit);

    /// <summary>Recent latency, milliseconds; 0: unknown.</summary>
    public double RecentMilliseconds => Volatile.Read(ref _recent);

    /// <summary>Records a completed call.</summary>
    /// <param name="health">What it says of the target.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="inFlight">Calls in flight when it completed, itself included.</param>
    /// <param name="pause">The pause that the target asks for.</param>
    public void Record(CallHealth health, TimeSpan took, int inFlight, TimeSpan pause = default)
    {
        lock (_lock)
        {
            if (health == CallHealth.Healthy)
                TakeLatency(took.TotalMilliseconds);
            if (_ignored > 0)
            {
                _ignored--;
                return;
            }

            _completed++;
            _maxInFlight = Math.Max(_maxInFlight, inFlight);
            if (health == CallHealth.Failed)
                _failures++;
            if (health == CallHealth.Throttled)
                _throttled++;
            var window = Math.Max(MinWindow, Current);
            if (health == CallHealth.Throttled && _throttled >= 2 && _throttled >= window * (MaxExcessThrottled + _usualTrouble))
                Shrink(ThrottledFactor, inFlight);
            else if (health == CallHealth.Throttled && pause > TimeSpan.Zero)
                LowerCeiling(pause, inFlight);
            else if (_completed >= window)
                EndWindow(inFlight);
        }
    }

    private void TakeLatency(double milliseconds)
    {
        if (_usual == 0)
            (_recent, _usual) = (milliseconds, milliseconds);
        _recent += (milliseconds - _recent) * RecentWeight;
        _usual += (_recent - _usual) * (_recent < _usual ? RecentWeight : UsualRiseWeight);
    }

    private void EndWindow(int inFlight)
    {
        var failed = (double)_failures / _completed;
        var throttled = (double)_throttled / _completed;
        var excess = failed + throttled - _usualTrouble;
        LearnTrouble(failed + throttled);
        if (_recent > (_usual * SlowTimes) + SlowSlackMilliseconds)
        {
            Shrink(SlowFactor, inFlight);
            return;
        }

        var grown = 0.0;
        // A limit that is not used up is not proved, so it does not grow.
        if (_maxInFlight * 2 >= Current)
            grown = (_starting && failed + throttled == 0 ? _limit : Math.Max(1, _limit * Growth)) * (1 - Math.Max(0, excess));
        _starting &= failed + throttled == 0;
        // The whole excess of throttled calls, half that of failed ones: those may have failed for another reason.
        var shrunk = excess <= 0 ? 0 : excess * (throttled + (failed / 2)) / (failed + throttled);
        Set((_limit * (1 - shrunk)) + grown);
    }

    private void LearnTrouble(double share)
    {
        if (share > _usualTrouble)
            _troubleAt = Math.Max(_troubleAt * TroubleFades, _limit);
        var weight =
            share < _usualTrouble ? UsualFall
            : _limit <= _troubleAt * WellBelow ? UsualRise
            : 0;
        _usualTrouble += (Math.Min(share, MaxUsual) - _usualTrouble) * (1 - Math.Pow(1 - weight, _completed));
    }

    private void LowerCeiling(TimeSpan pause, int inFlight)
    {
        _starting = false;
        if (_ceiling == double.MaxValue)
            _ceilingFound = inFlight;
        // Pauses below half of where the ceiling was found are not due to too many calls at once.
        _ceiling = Math.Max(_ceilingFound / 2, Math.Min(_ceiling, inFlight - 1));
        var hold = pause * CeilingTimes * (1 << Math.Min(_ceilingHits++, MaxCeilingDoublings));
        _ceilingUntil = timeProvider.GetTimestamp() + (long)(hold.TotalSeconds * timeProvider.TimestampFrequency);
        Set(Math.Min(_limit, _ceiling));
    }

    private void Shrink(double factor, int inFlight)
    {
        _starting = false;
        // Calls still in flight started under the old limit and say nothing about the new one.
        _ignored = inFlight - 1;
        Set(_limit * factor);
    }

    private void Set(double limit)
    {
        if (limit > _ceiling && timeProvider.GetTimestamp() < _ceilingUntil)
            limit = _ceiling;
        else if (limit > _ceiling)
            _ceiling = double.MaxValue;
        Volatile.Write(ref _limit, Math.Clamp(limit, options.MinConcurrency, options.MaxConcurrency));
        (_completed, _failures, _throttled, _maxInFlight) = (0, 0, 0, 0);
    }
}
