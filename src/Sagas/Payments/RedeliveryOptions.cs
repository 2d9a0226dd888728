using System.ComponentModel.DataAnnotations;

namespace Sagas.Payments;

/// <summary>
/// Configuration section <c>Payments:Redelivery</c>: when a payment whose customer is unknown looks for it again: after one
/// base delay, then two, three and so on.
/// </summary>
public sealed record RedeliveryOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Payments:Redelivery";

    /// <summary>First delay of a payment whose customer is unknown, and how much longer each further delay is.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest delay.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a payment waits in all before it expires.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "365.00:00:00")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The delay after the given number of attempts.</summary>
    /// <param name="attempts">How often the customer was not found; from 1.</param>
    public TimeSpan DelayAfter(int attempts) =>
        TimeSpan.FromTicks((long)Math.Min(MaxDelay.Ticks, (double)BaseDelay.Ticks * attempts));
}
