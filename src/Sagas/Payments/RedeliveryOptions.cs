namespace Sagas.Payments;

/// <summary>When a payment whose customer is not known looks for it again: after one increment, two, three, … up to the cap.</summary>
public sealed record RedeliveryOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Payments:Redelivery";

    /// <summary>The first wait, and by how much each wait is longer than the one before.</summary>
    public TimeSpan Increment { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait.</summary>
    public TimeSpan Cap { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a payment waits in all before it expires.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The wait after the given number of attempts.</summary>
    /// <param name="attempts">How often the customer was looked up and not found; from 1.</param>
    public TimeSpan DelayAfter(int attempts) => TimeSpan.FromTicks((long)Math.Min(Cap.Ticks, (double)Increment.Ticks * attempts));
}
