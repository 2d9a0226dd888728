using System.Collections.Concurrent;

namespace Sagas.Simulators.ObjectStatus;

/// <summary>The requests to the status API and the posts of the tester.</summary>
internal sealed class ObjectBooks
{
    private readonly ConcurrentDictionary<string, int> _answered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _acknowledged = new(StringComparer.Ordinal);
    private long _requests;
    private long _faults;
    private long _latencyMicroseconds;
    private long _inFlight;
    private long _maxInFlight;
    private long _posts;
    private long _rejectedPosts;

    /// <summary>How often each object's status was answered.</summary>
    public IReadOnlyDictionary<string, int> Answered => _answered;

    /// <summary>The ids that the callback acknowledged.</summary>
    public IEnumerable<string> Acknowledged => _acknowledged.Keys;

    public void Enter(TimeSpan latency)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _latencyMicroseconds, (long)latency.TotalMicroseconds);
        var now = Interlocked.Increment(ref _inFlight);
        for (var max = Volatile.Read(ref _maxInFlight); now > max; )
        {
            var seen = Interlocked.CompareExchange(ref _maxInFlight, now, max);
            max = seen == max ? now : seen;
        }
    }

    public void Leave() => Interlocked.Decrement(ref _inFlight);

    public void Answer(string id) => _answered.AddOrUpdate(id, 1, static (_, count) => count + 1);

    public void Fail() => Interlocked.Increment(ref _faults);

    public void Posted(IEnumerable<string> ids, bool accepted)
    {
        Interlocked.Increment(ref _posts);
        if (!accepted)
        {
            Interlocked.Increment(ref _rejectedPosts);
            return;
        }

        foreach (var id in ids)
            _acknowledged[id] = 0;
    }

    public ObjectSummary Summary() =>
        new(
            Volatile.Read(ref _requests),
            Volatile.Read(ref _faults),
            _answered.Count,
            Volatile.Read(ref _inFlight),
            Volatile.Read(ref _maxInFlight),
            Volatile.Read(ref _latencyMicroseconds) / 1e6,
            Volatile.Read(ref _posts),
            Volatile.Read(ref _rejectedPosts)
        );

    public void Clear()
    {
        _answered.Clear();
        _acknowledged.Clear();
        Volatile.Write(ref _requests, 0);
        Volatile.Write(ref _faults, 0);
        Volatile.Write(ref _latencyMicroseconds, 0);
        Volatile.Write(ref _maxInFlight, Volatile.Read(ref _inFlight));
        Volatile.Write(ref _posts, 0);
        Volatile.Write(ref _rejectedPosts, 0);
    }
}

/// <summary>Counts of requests and posts.</summary>
/// <param name="Requests">Requests received.</param>
/// <param name="Faults">Requests that met a fault.</param>
/// <param name="Objects">Objects whose status was answered.</param>
/// <param name="InFlight">Requests being answered.</param>
/// <param name="MostInFlight">The highest number of these at the same time.</param>
/// <param name="LatencySeconds">Sum of the latencies that requests were given.</param>
/// <param name="Posts">Callbacks posted by the tester.</param>
/// <param name="RejectedPosts">Callbacks that were not answered with 200 within a second.</param>
internal sealed record ObjectSummary(
    long Requests,
    long Faults,
    int Objects,
    long InFlight,
    long MostInFlight,
    double LatencySeconds,
    long Posts,
    long RejectedPosts
);
