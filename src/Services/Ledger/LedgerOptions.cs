namespace Sagas.Services.Ledger;

/// <summary>How calls to one target are made.</summary>
public sealed record LedgerOptions
{
    /// <summary>A call without a complete answer after this long has an unknown outcome.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after <see cref="CallTimeout"/> a call in flight counts as abandoned by a killed process. Half
    /// of it is how long a claimed call may wait for its turn.</summary>
    public TimeSpan LeaseMargin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often due calls are looked for when nothing wakes the dispatcher.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Upper bound of the first retry's random delay; it doubles with each attempt.</summary>
    public TimeSpan RetryBase { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Upper bound of every retry's random delay.</summary>
    public TimeSpan RetryCap { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long before each attempt, the first included, in place of the random delay that doubles; a call that
    /// has failed as often as there are entries is parked, whatever its age. Each wait is up to a fifth longer, by chance.</summary>
    public IReadOnlyList<TimeSpan>? RetrySchedule { get; init; }

    /// <summary>The longest <c>Retry-After</c> that is obeyed; a longer one is cut to this.</summary>
    public TimeSpan RetryAfterCap { get; init; } = TimeSpan.FromHours(1);

    /// <summary>In mode <see cref="LedgerMode.Lookup"/>: how long after an unknown outcome the target is asked at the
    /// earliest, so that a call that it is still working on is not taken for one that did not happen.</summary>
    public TimeSpan LookupDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A call that has not succeeded this long after it was asked for is parked.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>A call that has not succeeded after this many attempts is parked; null: no limit.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>Calls at once when nothing is known of the target yet.</summary>
    public int InitialConcurrency { get; init; } = 8;

    /// <summary>Fewest calls at once, however badly the target answers.</summary>
    public int MinConcurrency { get; init; } = 1;

    /// <summary>Most calls at once, however well the target answers; per process.</summary>
    public int MaxConcurrency { get; init; } = 64;

    /// <summary>The share of failed calls from which the circuit breaker opens, 0 to 1.</summary>
    public double BreakerFailureRatio { get; init; } = 0.5;

    /// <summary>Calls within <see cref="BreakerSampling"/> below which the breaker does not judge.</summary>
    public int BreakerMinimumCalls { get; init; } = 10;

    /// <summary>The time over which failures are counted; at least 500 ms.</summary>
    public TimeSpan BreakerSampling { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the breaker stays open the first time; doubles with each failed probe. At least 500 ms.</summary>
    public TimeSpan BreakBase { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest that the breaker stays open between probes.</summary>
    public TimeSpan BreakCap { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong with these options, one sentence each; empty: nothing.</summary>
    public IEnumerable<string> Validate()
    {
        if (CallTimeout <= TimeSpan.Zero || LeaseMargin <= TimeSpan.Zero || PollInterval <= TimeSpan.Zero)
            yield return "CallTimeout, LeaseMargin and PollInterval must be more than zero.";
        if (RetryBase <= TimeSpan.Zero || RetryCap < RetryBase)
            yield return "RetryBase must be more than zero and RetryCap at least RetryBase.";
        if (RetryAfterCap < TimeSpan.Zero || LookupDelay < TimeSpan.Zero)
            yield return "RetryAfterCap and LookupDelay must not be negative.";
        if (MaxAge <= TimeSpan.Zero || MaxAttempts < 1)
            yield return "MaxAge and MaxAttempts must be more than zero.";
        if (RetrySchedule is { Count: 0 } || RetrySchedule?.Any(wait => wait < TimeSpan.Zero) == true)
            yield return "RetrySchedule must have entries, none of them negative.";
        if (MinConcurrency < 1 || InitialConcurrency < MinConcurrency || MaxConcurrency < InitialConcurrency)
            yield return "1 ≤ MinConcurrency ≤ InitialConcurrency ≤ MaxConcurrency must hold.";
        if (BreakerFailureRatio is <= 0 or > 1 || BreakerMinimumCalls < 2)
            yield return "BreakerFailureRatio must be above 0 and at most 1, BreakerMinimumCalls at least 2.";
        if (BreakerSampling < TimeSpan.FromMilliseconds(500) || BreakBase < TimeSpan.FromMilliseconds(500) || BreakCap < BreakBase)
            yield return "BreakerSampling and BreakBase must be at least 500 ms, BreakCap at least BreakBase.";
    }
}
