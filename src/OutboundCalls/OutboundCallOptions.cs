using System.Globalization;

namespace Sagas.OutboundCalls;

/// <summary>How calls to one target are made.</summary>
public sealed record OutboundCallOptions
{
    private static readonly TimeSpan _minBreakerTime = TimeSpan.FromMilliseconds(500);

    /// <summary>A call without a complete response after this long has an unknown outcome.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after <see cref="CallTimeout"/> a call in flight counts as abandoned by a killed process. A claimed
    /// call waits at most half of it for its turn.</summary>
    public TimeSpan LeaseMargin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often due calls are looked for when nothing wakes the dispatcher.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest <c>Retry-After</c> that is obeyed; a longer one is cut to this.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The statuses from 400 to 499, separated by commas, that do not reject a call but say that the target's address or
    /// our access to it is wrong, as while a key is rotated: the call is retried, then parked. 408, 425 and 429 are always
    /// retried; the others are final.</summary>
    public string RetryableStatuses { get; init; } = "401,403,404,405,407";

    /// <summary>Concurrent calls when nothing is known of the target yet.</summary>
    public int InitialConcurrency { get; init; } = 8;

    /// <summary>Fewest concurrent calls, however badly the target responds.</summary>
    public int MinConcurrency { get; init; } = 1;

    /// <summary>Most concurrent calls, however well the target responds; per process.</summary>
    public int MaxConcurrency { get; init; } = 64;

    /// <summary>The share of failed calls from which the circuit breaker opens, 0 to 1.</summary>
    public double BreakerFailureRatio { get; init; } = 0.5;

    /// <summary>Fewer calls than this within <see cref="BreakerInterval"/> do not open the breaker.</summary>
    public int BreakerMinCalls { get; init; } = 10;

    /// <summary>The time over which failures are counted; at least 500 ms.</summary>
    public TimeSpan BreakerInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the breaker stays open the first time, at least 500 ms; doubles with each failed probe.</summary>
    public TimeSpan BreakerDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time between probes.</summary>
    public TimeSpan MaxBreakerDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong with these options, one sentence each; empty: nothing.</summary>
    public IEnumerable<string> Validate()
    {
        if (CallTimeout <= TimeSpan.Zero || LeaseMargin <= TimeSpan.Zero || PollInterval <= TimeSpan.Zero)
            yield return "CallTimeout, LeaseMargin and PollInterval must be more than zero.";
        if (MaxRetryAfter < TimeSpan.Zero)
            yield return "MaxRetryAfter must not be negative.";
        if (Statuses().Any(status => status is null or < 400 or > 499))
            yield return "RetryableStatuses must be numbers from 400 to 499, separated by commas.";
        if (MinConcurrency < 1 || InitialConcurrency < MinConcurrency || MaxConcurrency < InitialConcurrency)
            yield return "1 ≤ MinConcurrency ≤ InitialConcurrency ≤ MaxConcurrency must hold.";
        if (BreakerFailureRatio is <= 0 or > 1 || BreakerMinCalls < 2)
            yield return "BreakerFailureRatio must be above 0 and at most 1, BreakerMinCalls at least 2.";
        if (BreakerInterval < _minBreakerTime || BreakerDelay < _minBreakerTime || MaxBreakerDelay < BreakerDelay)
            yield return "BreakerInterval and BreakerDelay must be at least 500 ms, MaxBreakerDelay at least BreakerDelay.";
    }

    /// <summary>Whether a status says that the configuration is wrong, not the call.</summary>
    internal bool IsRetryable(int status) => Statuses().Contains(status);

    private IEnumerable<int?> Statuses() =>
        RetryableStatuses
            .Split([',', ' '], StringSplitOptions.RemoveEmptyEntries)
            .Select(text =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : (int?)null
            );
}
