using Sagas.Services.Modules;

namespace Sagas.Services.Alarms;

/// <summary>Configuration section <c>Alarms</c>: how changes are consumed, when digests go out unasked, what is kept.</summary>
public sealed record AlarmsOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Alarms";

    /// <summary>How often every user with something to tell is sent a digest, without being asked; zero: never.</summary>
    public TimeSpan DigestEvery { get; init; }

    /// <summary>How long a cleared alarm is remembered, from its receipt on. A change that arrives later than this after its
    /// alarm was cleared cannot be told from a new alarm any more.</summary>
    public TimeSpan KeepCleared { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long what was sent is kept in <c>alarm_digest</c>.</summary>
    public TimeSpan KeepDigests { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Whether the queue <c>AlarmDigest</c> is declared, for readers that expect it; not needed by those that bind a
    /// queue of their own.</summary>
    public bool DigestQueue { get; init; } = true;

    /// <summary>How long a digest that nobody reads stays in the queue <c>AlarmDigest</c>. It is an argument of the queue: to
    /// change it, the queue must be deleted.</summary>
    public TimeSpan DigestQueueKeeps { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How many changes a process takes from the broker at a time.</summary>
    public int ChangesAtOnce { get; init; } = 2000;

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (DigestEvery != TimeSpan.Zero && (DigestEvery < TimeSpan.FromSeconds(1) || DigestEvery > TimeSpan.FromDays(366)))
            yield return $"{Section}:{nameof(DigestEvery)} must be zero (never) or between 1 second and 366 days.";
        if (KeepCleared < TimeSpan.FromMinutes(1) || KeepCleared > TimeSpan.FromDays(36_600))
            yield return $"{Section}:{nameof(KeepCleared)} must be between 1 minute and 36600 days.";
        if (KeepDigests < TimeSpan.FromMinutes(1) || KeepDigests > TimeSpan.FromDays(36_600))
            yield return $"{Section}:{nameof(KeepDigests)} must be between 1 minute and 36600 days.";
        if (DigestQueueKeeps < TimeSpan.FromMinutes(1) || DigestQueueKeeps > TimeSpan.FromDays(366))
            yield return $"{Section}:{nameof(DigestQueueKeeps)} must be between 1 minute and 366 days.";
        if (ChangesAtOnce is < 1 or > 50_000)
            yield return $"{Section}:{nameof(ChangesAtOnce)} must be between 1 and 50000.";
    }
}
