namespace Sagas.Simulators.Faults;

/// <summary>
/// Places that are taken one after the other, by the clock and not by who is finished: a timer that fires late then costs the
/// third party nothing of the rate that it is said to have.
/// </summary>
internal sealed class PlaceQueue
{
    private readonly Lock gate = new();
    private readonly PriorityQueue<bool, long> freeAt = new();

    /// <summary>Takes the place that is free first.</summary>
    /// <param name="places">How many places there are.</param>
    /// <param name="now">The time, a timestamp.</param>
    /// <param name="duration">For how long it is taken, as difference of timestamps.</param>
    /// <returns>From when on; not before <paramref name="now"/>.</returns>
    public long Take(int places, long now, long duration)
    {
        lock (gate)
        {
            while (freeAt.Count > places)
                freeAt.Dequeue();
            while (freeAt.Count < places)
                freeAt.Enqueue(true, now);
            freeAt.TryDequeue(out _, out var free);
            var from = Math.Max(now, free);
            freeAt.Enqueue(true, from + duration);
            return from;
        }
    }
}
