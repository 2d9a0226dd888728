using Sagas.Contracts;

namespace Sagas.Services.Alarms;

/// <summary>A change as it is stored: ids trimmed, status in capitals.</summary>
/// <param name="UserId">Whose alarm.</param>
/// <param name="AlarmId">The alarm.</param>
/// <param name="Status">One of <see cref="AlarmStatus"/>.</param>
/// <param name="ChangedAt">When it changed.</param>
internal readonly record struct AlarmChange(string UserId, string AlarmId, string Status, Instant ChangedAt)
{
    /// <summary>The change that a message reports, which has passed the rules.</summary>
    public static AlarmChange Of(AlarmStatusChanged message) =>
        new(message.UserId.Trim(), message.AlarmId.Trim(), message.Status.Trim().ToUpperInvariant(), message.ChangedAt);

    /// <summary>The newest change of each alarm.</summary>
    public static List<AlarmChange> Newest(IReadOnlyCollection<AlarmChange> changes)
    {
        var newest = new Dictionary<(string, string), AlarmChange>(changes.Count);
        foreach (var change in changes)
        {
            var key = (change.UserId, change.AlarmId);
            if (!newest.TryGetValue(key, out var known) || known.ChangedAt < change.ChangedAt)
                newest[key] = change;
        }

        return [.. newest.Values];
    }
}
