namespace Sagas.Services.Ledger;

/// <summary>What a target may be sent by all processes together. With neither figure given, the rate is learned from the
/// target's refusals (429).</summary>
public sealed record CallLimit
{
    private const double Highest = 1_000_000;

    /// <summary>Calls per second; null: as many as the target takes, which is learned.</summary>
    public double? PerSecond { get; init; }

    /// <summary>Calls in flight at once; null: as many as each process's own limit allows.</summary>
    public int? AtOnce { get; init; }

    /// <summary>What is wrong with these options, one sentence each; empty: nothing.</summary>
    public IEnumerable<string> Validate()
    {
        if (PerSecond is not null and not (> 0 and <= Highest))
            yield return $"PerSecond must be more than 0 and at most {Highest:0}; leave it out to have it learned.";
        if (AtOnce is not null and not (> 0 and <= (int)Highest))
            yield return $"AtOnce must be more than 0 and at most {Highest:0}; leave it out for no limit.";
    }
}
