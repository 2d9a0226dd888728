using Npgsql;
using NpgsqlTypes;

namespace Sagas.OutboundCalls;

/// <summary>Calls that wait for an operator.</summary>
public static class ParkedCalls
{
    // Spread over the time that the target's rate makes them take anyway, so that other calls are made in between.
    private const string RetrySql = """
        UPDATE outbound_call l SET state = 'waiting', finished_at = NULL, attempts = 0, retried_at = now(),
            outcome_unknown = outcome_unknown AND mode <> 'AtMostOnce',
            due = now() + make_interval(
                secs => p.position / coalesce((SELECT per_second FROM rate_limit m WHERE m.target = l.target), 2000))
        FROM (SELECT target, idempotency_key,
                     row_number() OVER (PARTITION BY target ORDER BY finished_at, idempotency_key) - 1 AS position
              FROM outbound_call
              WHERE state = 'parked'
                AND ($1::text IS NULL OR target = $1) AND ($2::text IS NULL OR target <> $2)
                AND ($3::text[] IS NULL OR idempotency_key = ANY ($3)) AND ($4::uuid IS NULL OR correlation_id = $4)) p
        WHERE l.target = p.target AND l.idempotency_key = p.idempotency_key AND l.state = 'parked'
        RETURNING l.target, l.idempotency_key
        """;

    /// <summary>
    /// Makes parked calls due, each once for any number of callers, with attempts and age counted from now, and ends the pauses
    /// of their targets; without keys, the pauses of all targets that the filter names. For a call in mode
    /// <see cref="CallMode.AtMostOnce"/> the caller vouches that it was not executed; in the other modes an unknown outcome
    /// is resolved as before any call.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="filter">Which calls.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<RetriedCalls> RetryAsync(
        NpgsqlDataSource database,
        ParkedCallFilter filter,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(filter);
        // Before the calls change state. Killed in between, the calls are still parked.
        var resumed = await CallTargets.ResumeAsync(database, filter.Target, filter.Keys, cancellationToken);
        await using var command = database.CreateCommand(RetrySql);
        Add(command, NpgsqlDbType.Text, filter.Target);
        Add(command, NpgsqlDbType.Text, filter.ExceptTarget);
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Text, filter.Keys?.ToArray());
        Add(command, NpgsqlDbType.Uuid, filter.CorrelationId);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var calls = new List<CallKey>();
        while (await row.ReadAsync(cancellationToken))
            calls.Add(new(row.GetString(0), row.GetString(1)));
        return new(calls, resumed);
    }

    private static void Add(NpgsqlCommand command, NpgsqlDbType type, object? value) =>
        command.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
}
