using Npgsql;
using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>An alarm of a user, as of its newest change.</summary>
/// <param name="UserId">Whose alarm.</param>
/// <param name="AlarmId">The alarm.</param>
/// <param name="Status">CLEARED, WARNING or CRITICAL.</param>
/// <param name="ChangedAt">When it changed, exactly as the producer said.</param>
/// <param name="ToldChangedAt">The change that a digest reported last; null: none.</param>
/// <param name="ToTell">Whether the next digest contains it.</param>
/// <param name="ReceivedAt">When its newest change was received.</param>
internal sealed record AlarmRow(
    string UserId,
    string AlarmId,
    string Status,
    string ChangedAt,
    string? ToldChangedAt,
    bool ToTell,
    DateTimeOffset ReceivedAt
)
{
    /// <summary>A user's alarms: active ones first, then by time as in a digest.</summary>
    public static Task<IReadOnlyList<AlarmRow>> OfUserAsync(
        SagasDatabase database,
        string userId,
        string? status,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            """
            SELECT o.* FROM alarms_overview o JOIN alarm a USING (user_id, alarm_id)
            WHERE user_id = $1 AND ($2::text IS NULL OR o.status = $2)
            ORDER BY o.status = 'CLEARED', a.changed_at, alarm_id LIMIT $3
            """,
            row => new AlarmRow(
                row.Get<string>("user_id"),
                row.Get<string>("alarm_id"),
                row.Get<string>("status"),
                row.Get<string>("changed_at"),
                row.Text("told_changed_at"),
                row.Get<bool>("to_tell"),
                row.Get<DateTimeOffset>("received_at")
            ),
            cancellationToken,
            new NpgsqlParameter { Value = userId },
            new NpgsqlParameter { Value = (object?)status ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new NpgsqlParameter { Value = limit }
        );
}
