using System.ComponentModel.DataAnnotations;
using Sagas.Configuration;

namespace Sagas.Services.Alarms;

/// <summary>Configuration section <c>Alarms</c>: how changes are consumed, when digests are sent, what is kept.</summary>
public sealed record AlarmsOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Alarms";

    /// <summary>How often all users with changes get a digest without a request, at least 1 second; zero: never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "366.00:00:00")]
    public TimeSpan DigestInterval { get; init; }

    /// <summary>
    /// How long a cleared alarm is kept, from its receipt. A change that arrives later than this counts as a
    /// new alarm.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "36600.00:00:00")]
    public TimeSpan ClearedRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long sent digests are kept in the table <c>alarm_digest</c>.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "36600.00:00:00")]
    public TimeSpan DigestRetention { get; init; } = TimeSpan.FromDays(90);

    /// <summary>
    /// Whether the queue <c>AlarmDigest</c> is declared. Readers that bind a queue of their own do not need it.
    /// </summary>
    public bool DigestQueue { get; init; } = true;

    /// <summary>
    /// How long an unread digest stays in the queue <c>AlarmDigest</c>. It is an argument of the queue: to change it, delete
    /// the queue and restart a process. Until then the queue is used as it is, and <c>/health/ready</c> says so.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "366.00:00:00")]
    public TimeSpan DigestQueueTtl { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Changes that a process takes from the broker at a time.</summary>
    [Range(1, 50_000)]
    public int PrefetchCount { get; init; } = 2000;

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (DigestInterval > TimeSpan.Zero && DigestInterval < TimeSpan.FromSeconds(1))
            yield return $"{Section}:{nameof(DigestInterval)} must be zero (never) or at least 1 second.";
    }
}
