using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.OutboundCalls;

/// <summary>The statements by which processes and operators share the pauses of targets, in table <c>rate_limit</c>.</summary>
internal static class PauseStore
{
    // Waits a little beyond the pause are due to it: a call's outcome is written after the pause, with jitter.
    public const string ResumeSql = """
        WITH target AS MATERIALIZED (
            SELECT m.target AS name, m.per_second, m.paused_until FROM rate_limit m
            WHERE ($1::text IS NULL OR m.target = $1)
              AND ($2::text[] IS NULL OR EXISTS (
                  SELECT FROM outbound_call c
                  WHERE c.target = m.target AND c.idempotency_key = ANY ($2) AND c.state IN ('waiting', 'parked')))
            ORDER BY m.target FOR UPDATE),
        resumed AS (
            UPDATE rate_limit m SET paused_until = NULL, paused_reason = NULL, next_permit_at = least(next_permit_at, now()),
                grows_at = least(grows_at, now()), resumed = resumed + 1, version = version + 1
            FROM target t WHERE m.target = t.name),
        due AS (
            UPDATE outbound_call l SET due = now() + make_interval(secs => w.position / coalesce(w.per_second, 2000))
            FROM (SELECT c.target, c.idempotency_key, t.per_second,
                         row_number() OVER (PARTITION BY c.target ORDER BY c.due, c.idempotency_key) - 1 AS position
                  FROM target t JOIN outbound_call c ON c.target = t.name
                  WHERE c.state = 'waiting' AND c.due > now() AND c.due <= t.paused_until + interval '10 seconds'
                    AND t.paused_until > now()) w
            WHERE l.target = w.target AND l.idempotency_key = w.idempotency_key AND l.state = 'waiting')
        SELECT name FROM target WHERE paused_until > now() ORDER BY name
        """;

    private const string RecordSql = """
        INSERT INTO rate_limit AS m (target, paused_until, paused_reason, throttled) VALUES ($1, now() + $2, $3, 1)
        ON CONFLICT (target) DO UPDATE SET throttled = m.throttled + 1, version = m.version + 1,
            paused_reason = CASE WHEN m.paused_until > now() + $2 THEN m.paused_reason ELSE $3 END,
            paused_until = greatest(m.paused_until, now() + $2)
        RETURNING resumed
        """;

    /// <summary>Records a pause that a target asked for.</summary>
    /// <returns>How often operators have ended a pause of it.</returns>
    public static async Task<long> RecordAsync(
        DbContext database,
        string target,
        TimeSpan pause,
        string reason,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await CallStore.OpenAsync(database, cancellationToken);
        await using var command = connection.Command(RecordSql);
        command.Parameters.Add(new() { Value = target });
        command.Parameters.Add(new() { Value = pause });
        command.Parameters.Add(new() { Value = reason });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>How often operators have ended a pause of a target.</summary>
    public static async Task<long> ResumedAsync(DbContext database, string target, CancellationToken cancellationToken)
    {
        await using var connection = await CallStore.OpenAsync(database, cancellationToken);
        await using var command = connection.Command("SELECT resumed FROM rate_limit WHERE target = $1");
        command.Parameters.Add(new() { Value = target });
        return await command.ExecuteScalarAsync(cancellationToken) as long? ?? 0;
    }

    /// <summary>The parameters of <see cref="ResumeSql"/>.</summary>
    /// <param name="target">Only this target; null: each.</param>
    /// <param name="keys">Only targets that have a waiting or parked call with one of these keys; null: each.</param>
    public static NpgsqlParameter[] ResumeParameters(string? target, IReadOnlyCollection<string>? keys) =>
        [
            new() { Value = (object?)target ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = (object?)keys?.ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
        ];
}
