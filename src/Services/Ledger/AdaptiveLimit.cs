namespace Sagas.Services.Ledger;

/// <summary>
/// How many calls at once a target takes. Judged once per window, which is about a round trip of all calls in flight: a
/// refusal or slowness shrinks the limit, failures shrink it by their share, good answers grow it. A share, because a
/// target that fails one call in twenty at random is no better off with fewer calls.
/// </summary>
internal sealed class AdaptiveLimit(LedgerOptions options)
{
    private const int SmallestWindow = 8;
    private const double RefusedFactor = 0.6;
    private const double SlowFactor = 0.9;
    private const double Growth = 0.1;

    // Slow is a recent latency beyond twice the usual one plus what a busy machine adds by itself.
    private const double SlowTimes = 2;
    private const double SlowSlackMilliseconds = 20;

    // The recent latency follows about ten calls; the usual one falls as fast but rises over a thousand.
    private const double RecentWeight = 0.1;
    private const double UsualRiseWeight = 0.001;

    private readonly Lock _lock = new();
    private double _limit = options.InitialConcurrency;
    private double _recent;
    private double _usual;
    private bool _starting = true;
    private int _answers;
    private int _failures;
    private int _mostAtOnce;
    private int _outrun;

    /// <summary>Calls at once, now.</summary>
    public int Current => (int)Volatile.Read(ref _limit);

    /// <summary>Recent latency, milliseconds; 0: none known.</summary>
    public double RecentMilliseconds => Volatile.Read(ref _recent);

    /// <summary>Takes in a call that ended.</summary>
    /// <param name="health">How it ended.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="atOnce">Calls in flight when it ended, itself included.</param>
    public void Ended(CallHealth health, TimeSpan took, int atOnce)
    {
        lock (_lock)
        {
            if (health == CallHealth.Good)
                TakeLatency(took.TotalMilliseconds);
            if (_outrun > 0)
            {
                _outrun--;
                return;
            }

            _answers++;
            _mostAtOnce = Math.Max(_mostAtOnce, atOnce);
            if (health == CallHealth.Failed)
                _failures++;
            if (health == CallHealth.Refused)
                Shrink(RefusedFactor, atOnce);
            else if (_answers >= Math.Max(SmallestWindow, Current))
                EndWindow(atOnce);
        }
    }

    private void TakeLatency(double milliseconds)
    {
        if (_usual == 0)
            (_recent, _usual) = (milliseconds, milliseconds);
        _recent += (milliseconds - _recent) * RecentWeight;
        _usual += (_recent - _usual) * (_recent < _usual ? RecentWeight : UsualRiseWeight);
    }

    private void EndWindow(int atOnce)
    {
        if (_recent > (_usual * SlowTimes) + SlowSlackMilliseconds)
        {
            Shrink(SlowFactor, atOnce);
            return;
        }

        var failed = (double)_failures / _answers;
        var grown = 0.0;
        // Growth without need would leave a limit that was never tried.
        if (_mostAtOnce * 2 >= Current)
            grown = (_starting && _failures == 0 ? _limit : Math.Max(1, _limit * Growth)) * (1 - failed);
        _starting &= _failures == 0;
        Set((_limit * (1 - (failed / 2))) + grown);
    }

    private void Shrink(double factor, int atOnce)
    {
        _starting = false;
        // Calls still in flight began under the old limit: what comes of them says nothing of the new one.
        _outrun = atOnce - 1;
        Set(_limit * factor);
    }

    private void Set(double limit)
    {
        Volatile.Write(ref _limit, Math.Clamp(limit, options.MinConcurrency, options.MaxConcurrency));
        (_answers, _failures, _mostAtOnce) = (0, 0, 0);
    }
}
