using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Services.Ledger;

/// <summary>The statements on table <c>ledger</c>, each for a whole batch, on the connection and in the transaction of
/// the context.</summary>
internal static class LedgerRows
{
    // The rows are found by the place at which they were locked: a join would leave it to the planner's estimate whether
    // it reads the whole table.
    private const string ClaimSql = """
        UPDATE ledger
        SET state = 'in_flight', claim = $3, due = now() + $4, attempts = attempts + 1, started_at = now(),
            may_have_happened = may_have_happened OR state = 'in_flight'
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM ledger WHERE target = $1 AND due <= now() ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED))
        RETURNING idempotency_key, mode, request::text, attempts, may_have_happened, now() - created_at, conversation_id, correlation_id
        """;

    // Only the holder of the claim says what came of it. Done is done, though, whoever claimed or closed the row since: an
    // effect cannot be taken back. finished_at tells people since when nothing is due.
    private const string WriteSql = """
        UPDATE ledger l
        SET state = o.state, due = now() + o.delay, claim = NULL, may_have_happened = o.may_have_happened,
            attempts = l.attempts - CASE WHEN o.uncounted THEN 1 ELSE 0 END,
            last_outcome = COALESCE(o.outcome, l.last_outcome), response = COALESCE(o.response, l.response),
            finished_at = CASE WHEN o.delay IS NULL THEN now() END
        FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)
            AS o (key, claim, state, delay, outcome, response, may_have_happened, uncounted)
        WHERE l.target = $1 AND l.idempotency_key = o.key
          AND (l.claim = o.claim OR (o.state = 'done' AND l.state NOT IN ('done', 'failed')))
        RETURNING l.idempotency_key
        """;

    private const string ForgetSql = """
        UPDATE ledger SET state = 'waiting', claim = NULL, due = now(), attempts = attempts - 1
        WHERE target = $1 AND claim = $2 AND due IS NOT NULL
        """;

    private const string EnterSql = """
        INSERT INTO ledger (target, idempotency_key, state, mode, request, due, conversation_id, correlation_id)
        VALUES ($1, $2, 'waiting', $3, $4, now(), $5, $6)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Takes calls that are due: waiting ones and those that a killed process left in flight.</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">The target.</param>
    /// <param name="most">At most this many.</param>
    /// <param name="claim">Names the claim.</param>
    /// <param name="claimedAt">A timestamp from before this statement.</param>
    /// <param name="lease">How long they are this process's.</param>
    /// <param name="cancellation">Cancels; the claim may have been committed all the same.</param>
    public static async Task<List<LedgerCall>> ClaimAsync(
        DbContext database, string target, int most, Guid claim, long claimedAt, TimeSpan lease, CancellationToken cancellation)
    {
        await using var connection = await OpenAsync(database, cancellation);
        await using var command = connection.Command(ClaimSql);
        command.Parameters.Add(new() { Value = target });
        command.Parameters.Add(new() { Value = most });
        command.Parameters.Add(new() { Value = claim });
        command.Parameters.Add(new() { Value = lease });
        var calls = new List<LedgerCall>();
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation))
        {
            calls.Add(new(
                row.GetString(0), Enum.Parse<LedgerMode>(row.GetString(1)), row.GetString(2), row.GetInt32(3), row.GetBoolean(4),
                row.GetFieldValue<TimeSpan>(5), row.IsDBNull(6) ? null : row.GetGuid(6), row.IsDBNull(7) ? null : row.GetGuid(7))
            {
                Claim = claim,
                ClaimedAt = claimedAt,
            });
        }

        return calls;
    }

    /// <summary>Writes outcomes.</summary>
    /// <returns>The keys whose row was this claim's to write; the others' outcome is already known.</returns>
    public static async Task<HashSet<string>> WriteAsync(
        DbContext database, string target, IReadOnlyList<LedgerOutcome> outcomes, CancellationToken cancellation)
    {
        await using var connection = await OpenAsync(database, cancellation);
        await using var command = connection.Command(WriteSql);
        command.Parameters.Add(new() { Value = target });
        AddArray(command, NpgsqlDbType.Text, outcomes, outcome => outcome.Call.IdempotencyKey);
        AddArray(command, NpgsqlDbType.Uuid, outcomes, outcome => outcome.Call.Claim);
        AddArray(command, NpgsqlDbType.Text, outcomes, outcome => outcome.State);
        AddArray(command, NpgsqlDbType.Interval, outcomes, outcome => outcome.Delay);
        AddArray(command, NpgsqlDbType.Text, outcomes, outcome => outcome.LastOutcome);
        AddArray(command, NpgsqlDbType.Jsonb, outcomes, outcome => outcome.Response);
        AddArray(command, NpgsqlDbType.Boolean, outcomes, outcome => outcome.MayHaveHappened);
        AddArray(command, NpgsqlDbType.Boolean, outcomes, outcome => outcome.Untried || outcome.Uncounted);
        var written = new HashSet<string>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation))
            written.Add(row.GetString(0));
        return written;
    }

    /// <summary>Gives back what a claim took whose answer was lost: nothing of it was called.</summary>
    public static Task<int> ForgetAsync(DbContext database, string target, Guid claim, CancellationToken cancellation) =>
        ExecuteAsync(database, ForgetSql, [new() { Value = target }, new() { Value = claim }], cancellation);

    /// <summary>Enters a call unless its key is in the ledger.</summary>
    /// <returns>1: entered; 0: it was there.</returns>
    public static Task<int> EnterAsync(
        DbContext database, LedgerTarget target, string key, string request, Guid? conversation, Guid? correlation, CancellationToken cancellation) =>
        ExecuteAsync(
            database,
            EnterSql,
            [
                new() { Value = target.Name },
                new() { Value = key },
                new() { Value = target.Mode.ToString() },
                new() { Value = request, NpgsqlDbType = NpgsqlDbType.Jsonb },
                new() { Value = (object?)conversation ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
                new() { Value = (object?)correlation ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
            ],
            cancellation);

    internal static async Task<int> ExecuteAsync(
        DbContext database, string sql, NpgsqlParameter[] parameters, CancellationToken cancellation)
    {
        await using var connection = await OpenAsync(database, cancellation);
        await using var command = connection.Command(sql);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    internal static async Task<OpenConnection> OpenAsync(DbContext database, CancellationToken cancellation)
    {
        await database.Database.OpenConnectionAsync(cancellation);
        return new(database);
    }

    private static void AddArray<T>(
        NpgsqlCommand command, NpgsqlDbType type, IReadOnlyList<LedgerOutcome> outcomes, Func<LedgerOutcome, T> column) =>
        command.Parameters.Add(new() { Value = outcomes.Select(column).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });

    // The context counts its opens: closing leaves a connection open whose transaction, say a consumer's, goes on.
    internal readonly struct OpenConnection(DbContext database) : IAsyncDisposable
    {
        public NpgsqlCommand Command(string sql) => new(
            sql,
            (NpgsqlConnection)database.Database.GetDbConnection(),
            database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction);

        public ValueTask DisposeAsync() => new(database.Database.CloseConnectionAsync());
    }
}
