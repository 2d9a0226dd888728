namespace Sagas.Simulators.Webhooks;

/// <summary>
/// Requests per second of each client on each path: a bucket that fills at that rate and holds what may come at one
/// moment. For one thread at a time.
/// </summary>
internal sealed class RequestLimit(TimeProvider timeProvider)
{
    private readonly Dictionary<(string Client, string Path), (double Tokens, long At)> _buckets = [];

    /// <summary>Takes one request's token.</summary>
    /// <returns>Null: it may come in. Otherwise after how long the next one may.</returns>
    public TimeSpan? Take(string client, string path, WebhookBehaviour behaviour)
    {
        if (behaviour.PerSecond == 0)
            return null;
        var capacity = behaviour.Burst > 0 ? behaviour.Burst : Math.Max(1, behaviour.PerSecond);
        var now = timeProvider.GetTimestamp();
        var (tokens, at) = _buckets.TryGetValue((client, path), out var bucket) ? bucket : (capacity, now);
        tokens = Math.Min(capacity, tokens + (timeProvider.GetElapsedTime(at, now).TotalSeconds * behaviour.PerSecond));
        var taken = tokens >= 1;
        _buckets[(client, path)] = (taken ? tokens - 1 : tokens, now);
        return taken ? null : TimeSpan.FromSeconds((1 - tokens) / behaviour.PerSecond);
    }
}
