namespace Sagas.OutboundCalls;

/// <summary>How calls to a target are retried: exponential delays with full jitter.</summary>
public sealed record CallRetryOptions
{
    /// <summary>Upper bound of the first retry's random delay; it doubles with each attempt.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Upper bound of every retry's random delay.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A call that has not succeeded this long after it was enqueued, or retried by an operator, is parked.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>A call that has not succeeded after this many attempts is parked; null: no limit.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>What is wrong with these options, one sentence each; empty: nothing.</summary>
    public IEnumerable<string> Validate()
    {
        if (Delay <= TimeSpan.Zero || MaxDelay < Delay)
            yield return "Delay must be more than zero and MaxDelay at least Delay.";
        if (MaxAge <= TimeSpan.Zero || MaxAttempts < 1)
            yield return "MaxAge and MaxAttempts must be more than zero.";
    }
}
