namespace Sagas.OutboundCalls;

/// <summary>How long to wait before the next attempt.</summary>
public static class Backoff
{
    // 2^30 first delays exceed any maximum; more would overflow.
    private const int MaxDoublings = 30;

    /// <summary>Exponential: the first delay doubled with each failure, up to the maximum.</summary>
    /// <param name="first">The delay after the first failure.</param>
    /// <param name="max">The longest delay.</param>
    /// <param name="failures">How often it has failed in a row, from 1.</param>
    public static TimeSpan Exponential(TimeSpan first, TimeSpan max, int failures)
    {
        var delay = first * Math.Pow(2, Math.Clamp(failures - 1, 0, MaxDoublings));
        return delay < max ? delay : max;
    }

    /// <summary>Exponential with full jitter: between zero and the exponential delay, so that what failed together is not
    /// retried together.</summary>
    /// <inheritdoc cref="Exponential"/>
    /// <param name="first">The longest delay after the first failure.</param>
    /// <param name="max">The longest delay.</param>
    /// <param name="failures">How often it has failed in a row, from 1.</param>
    /// <param name="random">From 0 to 1.</param>
    public static TimeSpan FullJitter(TimeSpan first, TimeSpan max, int failures, double random) =>
        Exponential(first, max, failures) * random;

    /// <summary>Exponential, of which a share is random: near the full delay, and not in step.</summary>
    /// <inheritdoc cref="Exponential"/>
    /// <param name="first">The longest delay after the first failure.</param>
    /// <param name="max">The longest delay.</param>
    /// <param name="failures">How often it has failed in a row, from 1.</param>
    /// <param name="share">The share of the delay that is random, from 0 to 1.</param>
    /// <param name="random">From 0 to 1.</param>
    public static TimeSpan PartialJitter(TimeSpan first, TimeSpan max, int failures, double share, double random) =>
        Exponential(first, max, failures) * (1 - (share * (1 - random)));
}
