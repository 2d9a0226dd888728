using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Sagas.Services.Ledger;

namespace Sagas.Services.Crm;

/// <summary>
/// What the end of calls does to their customers: the same as <see cref="Sagas.Customers.CustomerStateMachine"/> does with
/// <c>CustomerSynced</c> and <c>CustomerSyncFailed</c>, history included, but for many customers in one statement and in the
/// transaction that closes the calls. A message for each would cost several times as much as the call itself.
/// </summary>
internal static class CrmResults
{
    // Customers are locked in one order, so that two such statements do not wait for each other. The lock also yields the
    // newest row, which is what has to be judged.
    private const string Sql = """
        WITH result AS (
            SELECT * FROM unnest($1, $2, $3, $4, $5) AS r (correlation_id, version, synced, reason, conversation_id)),
        customer AS MATERIALIZED (
            SELECT correlation_id, current_state, version, synced_version FROM customer_state
            WHERE correlation_id = ANY ($1) ORDER BY correlation_id FOR UPDATE),
        judged AS MATERIALIZED (
            SELECT c.correlation_id, c.current_state AS from_state, r.version, r.synced, r.reason, r.conversation_id,
                   c.version = r.version AS is_current,
                   CASE WHEN c.current_state = 'Syncing' AND c.version > r.version THEN 'Syncing'
                        WHEN c.current_state = 'Syncing' THEN CASE WHEN r.synced THEN 'Synced' ELSE 'SyncFailed' END
                        WHEN r.synced AND r.version > coalesce(c.synced_version, 0)
                            THEN CASE WHEN c.version = r.version THEN 'Synced' ELSE c.current_state END
                        WHEN NOT r.synced AND c.current_state = 'SyncFailed' AND c.version = r.version THEN 'SyncFailed'
                   END AS to_state
            FROM customer c JOIN result r USING (correlation_id)),
        changed AS (
            UPDATE customer_state c
            SET current_state = j.to_state, updated_at = now(),
                synced_version = CASE WHEN j.synced THEN greatest(c.synced_version, j.version) ELSE c.synced_version END,
                sync_failure = CASE WHEN j.to_state = 'SyncFailed' AND NOT j.synced THEN j.reason
                                    WHEN j.is_current OR j.from_state = 'Syncing' THEN NULL ELSE c.sync_failure END
            FROM judged j WHERE c.correlation_id = j.correlation_id AND j.to_state IS NOT NULL),
        history AS (
            INSERT INTO saga_transition (saga, correlation_id, from_state, to_state, event, conversation_id)
            SELECT 'customer_state', correlation_id, from_state, to_state,
                   CASE WHEN synced THEN 'CustomerSynced' ELSE 'CustomerSyncFailed' END, conversation_id
            FROM judged WHERE to_state IS NOT NULL)
        SELECT correlation_id, conversation_id FROM judged WHERE from_state = 'Syncing' AND to_state = 'Syncing'
        """;

    /// <summary>Moves the customers on, and enters the next call of those whose data have changed.</summary>
    /// <param name="database">The context, in the transaction that closes the calls.</param>
    /// <param name="target">The CRM.</param>
    /// <param name="ended">The calls that ended.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>Whether calls were entered.</returns>
    public static async Task<bool> ApplyAsync(
        SagasDbContext database, LedgerTarget target, IReadOnlyList<LedgerEnded> ended, CancellationToken cancellation)
    {
        var next = await MoveOnAsync(database, ended, cancellation);
        if (next.Count == 0)
            return false;
        await CrmCalls.EnterAsync(database, target, next, cancellation);
        return true;
    }

    private static async Task<List<CrmRequest>> MoveOnAsync(
        SagasDbContext database, IReadOnlyList<LedgerEnded> ended, CancellationToken cancellation)
    {
        // Of two results of one customer, late ones among them, the newest data's counts.
        var results = ended.Where(end => end.Call.CorrelationId is not null)
            .GroupBy(end => end.Call.CorrelationId!.Value)
            .Select(customer => customer.MaxBy(end => VersionOf(end.Call))!)
            .ToArray();
        await using var command = new NpgsqlCommand(
            Sql, (NpgsqlConnection)database.Database.GetDbConnection(), database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. results.Select(end => end.Call.CorrelationId!.Value)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. results.Select(end => VersionOf(end.Call))] });
        command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. results.Select(end => end.End == LedgerEnd.Done)] });
        command.Parameters.Add(new NpgsqlParameter<string[]>
        {
            TypedValue = [.. results.Select(end => end.Outcome)],
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        command.Parameters.Add(new NpgsqlParameter<Guid?[]> { TypedValue = [.. results.Select(end => end.Call.ConversationId)] });
        var next = new List<CrmRequest>();
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation))
            next.Add(new(row.GetGuid(0), await row.IsDBNullAsync(1, cancellation) ? null : row.GetGuid(1)));
        return next;
    }

    // The key is the customer and the version of their data.
    private static int VersionOf(LedgerCall call) =>
        int.Parse(call.IdempotencyKey.AsSpan(call.IdempotencyKey.LastIndexOf('/') + 1), CultureInfo.InvariantCulture);
}
