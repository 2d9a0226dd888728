namespace Sagas.OutboundCalls;

/// <summary>The shortest pause of a target that throttles every call: none at first, then longer each time until it accepts a
/// call. Without it, a target that asks for no pause would be called as fast as it answers.</summary>
internal sealed class ThrottleFloor(TimeProvider timeProvider)
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private int _times;
    private long _countsAt = long.MinValue;

    /// <summary>A call was throttled.</summary>
    /// <param name="asked">The pause that the target asks for.</param>
    /// <param name="max">The longest pause.</param>
    /// <returns>The pause, and how many times in a row; zero times: as a call before, with which it was in flight.</returns>
    public (TimeSpan Pause, int Times) Next(TimeSpan asked, TimeSpan max)
    {
        lock (_lock)
        {
            var now = timeProvider.GetTimestamp();
            var isNew = now >= _countsAt;
            if (isNew)
                _times++;
            var longest = max < _longest ? max : _longest;
            var floor = _times < 2 ? TimeSpan.Zero : Backoff.Exponential(_first, longest, _times - 1);
            var pause = asked > floor ? asked : floor;
            if (isNew)
                _countsAt = now + (long)((pause > _first ? pause : _first).TotalSeconds * timeProvider.TimestampFrequency);
            return (pause, isNew ? _times : 0);
        }
    }

    /// <summary>A call was accepted.</summary>
    public void Reset()
    {
        lock (_lock)
            (_times, _countsAt) = (0, long.MinValue);
    }
}
