namespace Sagas.OutboundCalls;

/// <summary>What all processes together may send to a target. Without a rate, it is learned from the target's 429s.</summary>
public sealed record CallRateLimit
{
    private const int Max = 1_000_000;

    /// <summary>Calls per second; null: as many as the target accepts, which is learned.</summary>
    public double? PerSecond { get; init; }

    /// <summary>Calls in flight; null: as many as each process's own limiter allows.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>What is wrong with these options, one sentence each; empty: nothing.</summary>
    public IEnumerable<string> Validate()
    {
        if (PerSecond is not null and not (> 0 and <= Max))
            yield return $"PerSecond must be more than 0 and at most {Max}; omit it to have the rate learned.";
        if (MaxConcurrency is not null and not (> 0 and <= Max))
            yield return $"MaxConcurrency must be more than 0 and at most {Max}; omit it for no limit.";
    }
}
