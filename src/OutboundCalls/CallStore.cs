using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Sagas.Persistence;

namespace Sagas.OutboundCalls;

/// <summary>The dispatcher's statements on table <c>outbound_call</c>, each for a whole batch, on the connection and in the
/// transaction of the context.</summary>
internal static class CallStore
{
    // By ctid: with a join the planner may choose to read the whole table.
    private const string ClaimSql = """
        UPDATE outbound_call
        SET state = 'in_flight', claim = $3, due = now() + $4, attempts = attempts + 1, started_at = now(),
            outcome_unknown = outcome_unknown OR state = 'in_flight'
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM outbound_call
            WHERE target = $1 AND due <= now()
              AND NOT EXISTS (SELECT FROM rate_limit m WHERE m.target = $1 AND m.held_at IS NOT NULL)
            ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED))
        RETURNING idempotency_key, mode, request::text, attempts, outcome_unknown, now() - coalesce(retried_at, created_at),
            conversation_id, correlation_id
        """;

    // Only the holder of the claim writes the outcome, except that a success always counts, even if the row was claimed or
    // closed in the meantime: an effect cannot be taken back.
    private const string WriteSql = """
        UPDATE outbound_call l
        SET state = o.state, due = now() + o.delay, claim = NULL, outcome_unknown = o.outcome_unknown,
            attempts = l.attempts - CASE WHEN o.uncounted THEN 1 ELSE 0 END,
            last_outcome = COALESCE(o.outcome, l.last_outcome), response = COALESCE(o.response, l.response),
            finished_at = CASE WHEN o.delay IS NULL THEN now() END
        FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)
            AS o (key, claim, state, delay, outcome, response, outcome_unknown, uncounted)
        WHERE l.target = $1 AND l.idempotency_key = o.key
          AND (l.claim = o.claim OR (o.state = 'done' AND l.state NOT IN ('done', 'failed')))
        RETURNING l.idempotency_key
        """;

    private const string ReleaseSql = """
        UPDATE outbound_call SET state = 'waiting', claim = NULL, due = now(), attempts = attempts - 1
        WHERE target = $1 AND claim = $2 AND due IS NOT NULL
        """;

    /// <summary>Claims calls that are due: waiting ones and those that a killed process left in flight.</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">The target.</param>
    /// <param name="max">At most this many.</param>
    /// <param name="claim">Names the claim.</param>
    /// <param name="claimedAt">A timestamp from before this statement.</param>
    /// <param name="lease">How long they are this process's.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<List<OutboundCall>> ClaimAsync(
        DbContext database,
        string target,
        int max,
        Guid claim,
        long claimedAt,
        TimeSpan lease,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await OpenAsync(database, cancellationToken);
        await using var batch = connection.Batch(ClaimSql, out var command);
        command.Parameters.Add(new() { Value = target });
        command.Parameters.Add(new() { Value = max });
        command.Parameters.Add(new() { Value = claim });
        command.Parameters.Add(new() { Value = lease });
        var calls = new List<OutboundCall>();
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            calls.Add(
                new(
                    row.GetString(0),
                    Enum.Parse<CallMode>(row.GetString(1)),
                    row.GetString(2),
                    row.GetInt32(3),
                    row.GetBoolean(4),
                    row.GetFieldValue<TimeSpan>(5),
                    row.IsDBNull(6) ? null : row.GetGuid(6),
                    row.IsDBNull(7) ? null : row.GetGuid(7)
                )
                {
                    Claim = claim,
                    ClaimedAt = claimedAt,
                }
            );
        }

        return calls;
    }

    /// <summary>Writes outcomes.</summary>
    /// <returns>The keys that were written; the other rows are no longer this claim's.</returns>
    public static async Task<HashSet<string>> WriteAsync(
        DbContext database,
        string target,
        IReadOnlyList<CallUpdate> outcomes,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await OpenAsync(database, cancellationToken);
        await using var batch = connection.Batch(WriteSql, out var command);
        command.Parameters.Add(new() { Value = target });
        AddArray(command, NpgsqlDbType.Text, outcomes, outcome => outcome.Call.IdempotencyKey);
        AddArray(command, NpgsqlDbType.Uuid, outcomes, outcome => outcome.Call.Claim);
        AddArray(command, NpgsqlDbType.Text, outcomes, outcome => outcome.State);
        AddArray(command, NpgsqlDbType.Interval, outcomes, outcome => outcome.Delay);
        AddArray(command, NpgsqlDbType.Text, outcomes, outcome => outcome.Description);
        AddArray(command, NpgsqlDbType.Jsonb, outcomes, outcome => outcome.Response);
        AddArray(command, NpgsqlDbType.Boolean, outcomes, outcome => outcome.OutcomeUnknown);
        AddArray(command, NpgsqlDbType.Boolean, outcomes, outcome => outcome.IsRelease || outcome.IsUncounted);
        var written = new HashSet<string>(StringComparer.Ordinal);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            written.Add(row.GetString(0));
        return written;
    }

    /// <summary>Releases a claim whose response was lost: none of its calls was made.</summary>
    public static Task<int> ReleaseAsync(DbContext database, string target, Guid claim, CancellationToken cancellationToken) =>
        ExecuteAsync(database, ReleaseSql, [new() { Value = target }, new() { Value = claim }], cancellationToken);

    internal static async Task<int> ExecuteAsync(
        DbContext database,
        string sql,
        NpgsqlParameter[] parameters,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await OpenAsync(database, cancellationToken);
        await using var command = connection.Command(sql);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    internal static async Task<OpenConnection> OpenAsync(DbContext database, CancellationToken cancellationToken)
    {
        await database.Database.OpenConnectionAsync(cancellationToken);
        return new(database);
    }

    private static void AddArray<T>(
        NpgsqlBatchCommand command,
        NpgsqlDbType type,
        IReadOnlyList<CallUpdate> outcomes,
        Func<CallUpdate, T> column
    ) => command.Parameters.Add(new() { Value = outcomes.Select(column).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });

    // The context counts its opens: closing leaves the connection open for the transaction of, say, a consumer.
    internal readonly struct OpenConnection(DbContext database) : IAsyncDisposable
    {
        public NpgsqlCommand Command(string sql) =>
            new(
                sql,
                (NpgsqlConnection)database.Database.GetDbConnection(),
                database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction
            );

        // The rows are looked up by their keys, whatever the statistics say of a table that grows quickly.
        public NpgsqlBatch Batch(string sql, out NpgsqlBatchCommand command)
        {
            command = new NpgsqlBatchCommand(sql);
            return new NpgsqlBatch(
                (NpgsqlConnection)database.Database.GetDbConnection(),
                database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction
            )
            {
                BatchCommands = { new NpgsqlBatchCommand(PlannerSettings.UseIndexes), command },
            };
        }

        public ValueTask DisposeAsync() => new(database.Database.CloseConnectionAsync());
    }
}
