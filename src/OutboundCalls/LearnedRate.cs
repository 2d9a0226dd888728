namespace Sagas.OutboundCalls;

/// <summary>
/// How many calls per second a target takes, learned from its 429s: a multiplicative decrease for each, and growth that starts
/// slowly and accelerates the longer none comes.
/// </summary>
internal static class LearnedRate
{
    public const double Max = 1_000_000;

    private const double Min = 0.01;
    private const double Decrease = 0.8;

    // At most this share of the rate that was throttled, regardless of what was measured.
    private const double MaxAfterDecrease = 0.97;

    // The rate is multiplied by e^(Acceleration * seconds²): by 1.25 after 5 seconds, by 8 after 15.
    private const double Acceleration = 0.01;
    private const double MaxSecondsOfGrowth = 40;

    private const double MinMeasuredSeconds = 0.2;

    // A rate is held before it grows: for a while, and for so many calls that at most one in about twenty is throttled.
    private const double MinHoldSeconds = 5;
    private const double MinHoldCalls = 20;

    /// <summary>The rate after it has grown for a while.</summary>
    public static double Grown(double perSecond, TimeSpan growing)
    {
        var seconds = Math.Clamp(growing.TotalSeconds, 0, MaxSecondsOfGrowth);
        return Math.Min(perSecond * Math.Exp(Acceleration * seconds * seconds), Max);
    }

    /// <summary>The rate after a 429.</summary>
    /// <param name="perSecond">The rate before; null: none, calls were not limited.</param>
    /// <param name="granted">Permits granted since the last 429.</param>
    /// <param name="elapsed">Time since the last 429.</param>
    /// <param name="pause">The pause that the target asks for.</param>
    public static double Decreased(double? perSecond, long granted, TimeSpan elapsed, TimeSpan pause)
    {
        // Everything since the last 429 but one call was accepted, pause included: the target takes at least that.
        var seconds = Math.Max(Math.Max(elapsed.TotalSeconds, pause.TotalSeconds), MinMeasuredSeconds);
        var accepted = Math.Max(granted - 1, 1) / seconds;
        if (perSecond is not { } rate)
            return Math.Clamp(accepted, Min, Max);
        // A target that throttles even a single call takes nothing now, which does not tell how much it takes.
        return granted <= 1 ? rate : Math.Max(Min, Math.Max(rate * Decrease, Math.Min(accepted, rate) * MaxAfterDecrease));
    }

    /// <summary>How long a rate is held before it grows.</summary>
    public static TimeSpan Hold(double perSecond) => TimeSpan.FromSeconds(Math.Max(MinHoldSeconds, MinHoldCalls / perSecond));
}
