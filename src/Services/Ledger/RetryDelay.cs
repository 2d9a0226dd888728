using System.Net.Http.Headers;

namespace Sagas.Services.Ledger;

/// <summary>When a call is tried again.</summary>
internal static class RetryDelay
{
    /// <summary>Exponential with full jitter: anything between nothing and the doubled bound, so that calls which failed
    /// together do not come back together.</summary>
    public static TimeSpan Backoff(LedgerOptions options, int attempts, double random)
    {
        // 2^30 base delays are beyond any cap; more would overflow.
        var bound = options.RetryBase * Math.Pow(2, Math.Clamp(attempts - 1, 0, 30));
        return (bound < options.RetryCap ? bound : options.RetryCap) * random;
    }

    /// <summary>How long <c>Retry-After</c> asks to wait, between zero and the cap; null: no such header.</summary>
    public static TimeSpan? Asked(HttpResponseHeaders headers, LedgerOptions options, TimeProvider time)
    {
        // A date is compared with the target's own clock where it tells that: clocks differ.
        var wait = headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - (headers.Date ?? time.GetUtcNow()),
            _ => (TimeSpan?)null,
        };
        if (wait is not { } asked)
            return null;
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > options.RetryAfterCap ? options.RetryAfterCap : asked;
    }
}
