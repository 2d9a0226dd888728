namespace Sagas.OutboundCalls;

/// <summary>The pause that a target asked for, as this process knows it, until an operator ends it.</summary>
internal sealed class TargetPause(TimeProvider timeProvider)
{
    private readonly Lock _lock = new();
    private long _until = long.MinValue;
    private long _resumed;

    /// <summary>How much longer no call may start.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var (until, now) = (Volatile.Read(ref _until), timeProvider.GetTimestamp());
            return until <= now ? TimeSpan.Zero : timeProvider.GetElapsedTime(now, until);
        }
    }

    /// <summary>No call starts for this long; a longer pause that is known holds.</summary>
    public void Extend(TimeSpan pause)
    {
        lock (_lock)
        {
            var until = timeProvider.GetTimestamp() + (long)(pause.TotalSeconds * timeProvider.TimestampFrequency);
            Volatile.Write(ref _until, Math.Max(_until, until));
        }
    }

    /// <summary>The pause is known to the other processes.</summary>
    /// <param name="resumed">How often operators had ended pauses of the target before.</param>
    public void Share(long resumed)
    {
        lock (_lock)
            _resumed = Math.Max(_resumed, resumed);
    }

    /// <summary>Ends the pause if an operator has ended it.</summary>
    /// <param name="resumed">How often operators have ended pauses of the target.</param>
    /// <returns>Whether it was ended.</returns>
    public bool TryEnd(long resumed)
    {
        lock (_lock)
        {
            if (resumed <= _resumed)
                return false;
            _resumed = resumed;
            Volatile.Write(ref _until, long.MinValue);
            return true;
        }
    }
}
