namespace Sagas.Simulators.Faults;

/// <summary>
/// Places that are taken one after the other, by the clock and not by who is finished: a timer that fires late then costs the
/// third party none of its configured rate.
/// </summary>
internal sealed class PlaceQueue
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<bool, long> _freeAt = new();

    /// <summary>Takes the place that is free first.</summary>
    /// <param name="places">How many places there are.</param>
    /// <param name="now">The time, a timestamp.</param>
    /// <param name="duration">For how long it is taken, as difference of timestamps.</param>
    /// <returns>From when on; not before <paramref name="now"/>.</returns>
    public long Take(int places, long now, long duration)
    {
        lock (_gate)
        {
            while (_freeAt.Count > places)
                _freeAt.Dequeue();
            while (_freeAt.Count < places)
                _freeAt.Enqueue(true, now);
            _freeAt.TryDequeue(out _, out var free);
            var from = Math.Max(now, free);
            _freeAt.Enqueue(true, from + duration);
            return from;
        }
    }
}
