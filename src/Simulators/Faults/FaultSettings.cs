namespace Sagas.Simulators.Faults;

/// <summary>
/// How one third party fails. Rates are shares of all its requests, 0 to 1; a request has one fault at most, so they
/// add up to at most 1.
/// </summary>
internal sealed record FaultSettings
{
    /// <summary>Answered 500 or 503, nothing done.</summary>
    public double FailBefore { get; init; }

    /// <summary>Done, then answered 500 or 503.</summary>
    public double FailAfter { get; init; }

    /// <summary>Done, then the connection is cut without an answer.</summary>
    public double LostAfter { get; init; }

    /// <summary>Answered 429, nothing done.</summary>
    public double TooManyRequests { get; init; }

    /// <summary>The <c>Retry-After</c> of a 429, seconds.</summary>
    public int RetryAfterSeconds { get; init; } = 1;

    /// <summary>Done, then answered 200 or 201 with a body that is not JSON.</summary>
    public double Garbage { get; init; }

    /// <summary>Done, then headers and half of the body, and the connection is cut.</summary>
    public double HalfResponse { get; init; }

    public LatencySettings Latency { get; init; } = new();

    /// <summary>Share of requests that take <see cref="SlowMs"/> longer, 0 to 1.</summary>
    public double SlowRate { get; init; }

    public int SlowMs { get; init; }

    /// <summary>Most requests that are worked on at once; 0 is no limit.</summary>
    public int MaxConcurrent { get; init; }

    /// <summary>What happens to a request beyond <see cref="MaxConcurrent"/>.</summary>
    public WhenFull WhenFull { get; init; }

    /// <summary>Every request before this time is answered 503.</summary>
    public DateTimeOffset? DownUntil { get; init; }

    /// <summary>What is wrong with these settings, a sentence each.</summary>
    public IEnumerable<string> Validate()
    {
        (string Name, double Value)[] rates =
        [
            ("failBefore", FailBefore),
            ("tooManyRequests", TooManyRequests),
            ("failAfter", FailAfter),
            ("lostAfter", LostAfter),
            ("garbage", Garbage),
            ("halfResponse", HalfResponse),
        ];
        foreach (var (name, value) in rates.Append(("slowRate", SlowRate)))
        {
            if (value is not (>= 0 and <= 1))
                yield return $"{name} is {value}; a rate is between 0 and 1.";
        }

        // A little more than 1, because ten times 0.1 is not exactly 1.
        if (rates.Sum(rate => rate.Value) > 1 + 1e-9)
            yield return "The rates add up to more than 1.";
        if (RetryAfterSeconds is < 0 or > 86_400)
            yield return "retryAfterSeconds is between 0 and 86400.";
        if (MaxConcurrent < 0)
            yield return "maxConcurrent is 0 (no limit) or more.";
        if (!Enum.IsDefined(WhenFull))
            yield return "whenFull is unavailable, tooManyRequests or queue.";
        if (SlowMs is < 0 or > LatencySettings.MaxLatencyMs)
            yield return $"slowMs is between 0 and {LatencySettings.MaxLatencyMs}.";
        if (Latency.MinMs < 0 || Latency.MaxMs < Latency.MinMs || Latency.MaxMs > LatencySettings.MaxLatencyMs)
            yield return $"latency is 0 <= minMs <= maxMs <= {LatencySettings.MaxLatencyMs}.";
    }
}

/// <summary>What happens to a request beyond the limit.</summary>
internal enum WhenFull
{
    /// <summary>503 immediately.</summary>
    Unavailable,

    /// <summary>429 immediately, with <c>Retry-After</c>.</summary>
    TooManyRequests,

    /// <summary>It waits until a place is free.</summary>
    Queue,
}

/// <summary>Time that every request takes, uniform between the two, milliseconds.</summary>
internal sealed record LatencySettings
{
    public const int MaxLatencyMs = 600_000;

    public int MinMs { get; init; }

    public int MaxMs { get; init; }
}
