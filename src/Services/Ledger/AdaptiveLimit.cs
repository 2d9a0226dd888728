namespace Sagas.Services.Ledger;

/// <summary>
/// How many calls at once a target takes. Judged once per window, which is about a round trip of all calls in flight: slowness
/// shrinks the limit, and so do failures and refusals by their share, as far as it is more than usual; good answers grow it.
/// A share, and only its excess, because a target that fails one call in five at random is no better off with fewer calls.
/// </summary>
internal sealed class AdaptiveLimit(LedgerOptions options, TimeProvider time)
{
    private const int SmallestWindow = 8;
    private const double RefusedFactor = 0.6;
    private const double SlowFactor = 0.9;
    private const double Growth = 0.1;

    // So many more refusals than usual in one window are not by chance: too many calls are made, by a lot.
    private const double RefusedTooOften = 0.25;

    // Slow is a recent latency beyond twice the usual one plus what a busy machine adds by itself.
    private const double SlowTimes = 2;
    private const double SlowSlackMilliseconds = 20;

    // The recent latency follows about ten calls; the usual one falls as fast but rises over a thousand.
    private const double RecentWeight = 0.1;
    private const double UsualRiseWeight = 0.001;

    // What goes wrong well below the limit at which something went wrong before is not for too many calls: that share is
    // usual, learned over some fifty calls. What goes wrong above may be, and is never taken for usual: the limit would creep
    // up. Beyond the most that can be usual, the target is in trouble.
    private const double WellBelow = 0.7;
    private const double UsualRise = 0.02;
    private const double UsualFall = 0.01;
    private const double MostUsual = 0.5;
    private const double TroubleFades = 0.999;

    // A refusal that stops all calls for a while is dear: more calls than it was met with are tried again after so many
    // times its length, and later each time that they are met with another.
    private const int CeilingTimes = 30;
    private const int MostCeilingDoublings = 5;

    private readonly Lock _lock = new();
    private double _limit = options.InitialConcurrency;
    private double _recent;
    private double _usual;
    private double _usualTrouble;
    private double _troubleAt;
    private double _ceiling = double.MaxValue;
    private double _ceilingFound;
    private long _ceilingUntil;
    private int _ceilingMet;
    private bool _starting = true;
    private int _answers;
    private int _failures;
    private int _refusals;
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
    /// <param name="pause">How long no call may be made for it.</param>
    public void Ended(CallHealth health, TimeSpan took, int atOnce, TimeSpan pause = default)
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
                _refusals++;
            var window = Math.Max(SmallestWindow, Current);
            if (health == CallHealth.Refused && _refusals >= 2 && _refusals >= window * (RefusedTooOften + _usualTrouble))
                Shrink(RefusedFactor, atOnce);
            else if (health == CallHealth.Refused && pause > TimeSpan.Zero)
                MeetCeiling(pause, atOnce);
            else if (_answers >= window)
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
        var failed = (double)_failures / _answers;
        var refused = (double)_refusals / _answers;
        var excess = failed + refused - _usualTrouble;
        LearnTrouble(failed + refused);
        if (_recent > (_usual * SlowTimes) + SlowSlackMilliseconds)
        {
            Shrink(SlowFactor, atOnce);
            return;
        }

        var grown = 0.0;
        // Growth without need would leave a limit that was never tried.
        if (_mostAtOnce * 2 >= Current)
            grown = (_starting && failed + refused == 0 ? _limit : Math.Max(1, _limit * Growth)) * (1 - Math.Max(0, excess));
        _starting &= failed + refused == 0;
        // All of the excess for calls that were one too many, half of it for those that may have failed for that.
        var shrunk = excess <= 0 ? 0 : excess * (refused + (failed / 2)) / (failed + refused);
        Set((_limit * (1 - shrunk)) + grown);
    }

    private void LearnTrouble(double share)
    {
        if (share > _usualTrouble)
            _troubleAt = Math.Max(_troubleAt * TroubleFades, _limit);
        var weight = share < _usualTrouble ? UsualFall : _limit <= _troubleAt * WellBelow ? UsualRise : 0;
        _usualTrouble += (Math.Min(share, MostUsual) - _usualTrouble) * (1 - Math.Pow(1 - weight, _answers));
    }

    private void MeetCeiling(TimeSpan pause, int atOnce)
    {
        _starting = false;
        if (_ceiling == double.MaxValue)
            _ceilingFound = atOnce;
        // The limit doubles at most: refusals below half of where the ceiling was found are not for too many calls at once.
        _ceiling = Math.Max(_ceilingFound / 2, Math.Min(_ceiling, atOnce - 1));
        var hold = pause * CeilingTimes * (1 << Math.Min(_ceilingMet++, MostCeilingDoublings));
        _ceilingUntil = time.GetTimestamp() + (long)(hold.TotalSeconds * time.TimestampFrequency);
        Set(Math.Min(_limit, _ceiling));
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
        if (limit > _ceiling && time.GetTimestamp() < _ceilingUntil)
            limit = _ceiling;
        else if (limit > _ceiling)
            _ceiling = double.MaxValue;
        Volatile.Write(ref _limit, Math.Clamp(limit, options.MinConcurrency, options.MaxConcurrency));
        (_answers, _failures, _refusals, _mostAtOnce) = (0, 0, 0, 0);
    }
}
