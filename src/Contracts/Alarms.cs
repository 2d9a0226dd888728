using System.Text.Json.Serialization;

namespace Sagas.Contracts;

/// <summary>The state of a user's alarm changed.</summary>
/// <param name="AlarmId">The alarm, 1 to 128 characters without control characters; two users' alarms of one id are two
/// alarms.</param>
/// <param name="UserId">Whose alarm it is, 1 to 128 characters without control characters.</param>
/// <param name="Status">One of <see cref="AlarmStatus"/>, in any case.</param>
/// <param name="ChangedAt">When it changed; the newest wins in any order of arrival.</param>
public sealed record AlarmStatusChanged(
    [property: JsonPropertyName("AlarmID")] string AlarmId,
    [property: JsonPropertyName("UserID")] string UserId,
    [property: JsonPropertyName("Status")] string Status,
    [property: JsonPropertyName("ChangedAt")] Instant ChangedAt
);

/// <summary>The states of an alarm. It is active unless it is cleared.</summary>
public static class AlarmStatus
{
    /// <summary>Not active.</summary>
    public const string Cleared = "CLEARED";

    /// <summary>Active.</summary>
    public const string Warning = "WARNING";

    /// <summary>Active.</summary>
    public const string Critical = "CRITICAL";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Cleared, Warning, Critical];
}

/// <summary>Send a digest of a user's active alarms that changed since the last one. Without any, nothing is sent.</summary>
/// <param name="UserId">The user.</param>
public sealed record SendAlarmDigest([property: JsonPropertyName("UserID")] string UserId);

/// <summary>A user's active alarms that changed since the last digest; each change is in one digest.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ActiveAlarms">The alarms, oldest change first, then by id; at least one.</param>
public sealed record AlarmDigest(
    [property: JsonPropertyName("UserID")] string UserId,
    [property: JsonPropertyName("ActiveAlarms")] IReadOnlyList<ActiveAlarm> ActiveAlarms
);

/// <summary>An alarm in a digest.</summary>
/// <param name="AlarmId">The alarm.</param>
/// <param name="Status"><see cref="AlarmStatus.Warning"/> or <see cref="AlarmStatus.Critical"/>.</param>
/// <param name="LatestChangedAt">When it last changed, to the nanosecond where the producer gave it.</param>
public readonly record struct ActiveAlarm(
    [property: JsonPropertyName("AlarmID")] string AlarmId,
    [property: JsonPropertyName("Status")] string Status,
    [property: JsonPropertyName("LatestChangedAt")] Instant LatestChangedAt
);
