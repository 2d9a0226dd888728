using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Sagas.Services.Ledger;

namespace Sagas.Services.Crm;

/// <summary>A customer of whom the CRM is to be told.</summary>
/// <param name="CorrelationId">The customer's saga.</param>
/// <param name="ConversationId">The conversation that asks for it.</param>
/// <param name="Retry">A call that was refused or given up is made again.</param>
internal readonly record struct CrmRequest(Guid CorrelationId, Guid? ConversationId, bool Retry = false);

/// <summary>Enters the CRM's calls in the ledger, many at a time, with the data that the customers have now.</summary>
internal static class CrmCalls
{
    // Only one call of a customer is open at a time, so older rows are closed but for two cases that need care: one that a
    // person has had made again is in flight, and one whose outcome is unknown may still be at work. The new call is due when
    // neither can reach the CRM after it. Rows between the version that the CRM has and the current one are looked up by their
    // keys, given as an array: a join would leave it to the planner whether it reads the whole ledger.
    //
    // A customer who is syncing while their call is given up is one whom a person wants told again. The lock makes sure of
    // that: a call that is given up at this moment, while a retry is delivered for the second time, is not made again.
    private const string Sql = """
        WITH asked AS (
            SELECT * FROM unnest($1, $2, $3) AS a (correlation_id, conversation_id, retry)),
        wanted AS MATERIALIZED (
            SELECT c.*, c.correlation_id::text || '/' || c.version AS key, a.conversation_id
            FROM customer_state c JOIN asked a USING (correlation_id)
            WHERE c.correlation_id = ANY ($1) AND c.current_state = 'Syncing'),
        older AS MATERIALIZED (
            SELECT ctid AS row, correlation_id,
                   CASE WHEN state = 'in_flight' THEN due WHEN may_have_happened THEN coalesce(finished_at, now()) + $6 END AS quiet_at
            FROM ledger
            WHERE target = $4 AND state IN ('waiting', 'in_flight', 'failed', 'parked')
              AND idempotency_key = ANY (ARRAY(
                SELECT w.correlation_id::text || '/' || v FROM wanted w, generate_series(coalesce(w.synced_version, 0) + 1, w.version - 1) v))
            ORDER BY idempotency_key FOR UPDATE),
        closed AS (
            UPDATE ledger SET state = 'superseded', due = NULL, claim = NULL, finished_at = now(),
                last_outcome = concat_ws('; ', last_outcome, 'superseded by newer data')
            WHERE ctid = ANY (ARRAY(SELECT row FROM older))),
        retried AS MATERIALIZED (
            SELECT correlation_id::text || '/' || version AS key FROM customer_state
            WHERE correlation_id = ANY (ARRAY(SELECT correlation_id FROM asked WHERE retry)) AND current_state = 'Syncing'
            ORDER BY correlation_id FOR NO KEY UPDATE),
        again AS (
            UPDATE ledger SET state = 'waiting', due = now(), finished_at = NULL, attempts = 0, mode = $5,
                may_have_happened = may_have_happened AND mode <> 'AtMostOnce'
            WHERE target = $4 AND state IN ('failed', 'parked') AND idempotency_key = ANY (ARRAY(SELECT key FROM retried)))
        INSERT INTO ledger (target, idempotency_key, state, mode, request, due, conversation_id, correlation_id)
        SELECT $4, key, 'waiting', $5,
               jsonb_build_object('customerId', customer_id, 'version', version, 'firstName', first_name, 'lastName', last_name,
                                  'email', email, 'phone', phone, 'registeredAt', registered_at),
               greatest(now(), (SELECT max(quiet_at) FROM older o WHERE o.correlation_id = wanted.correlation_id)),
               conversation_id, correlation_id
        FROM wanted
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Enters calls for the customers that are waiting for one; what is in the ledger already stays as it is.</summary>
    /// <param name="database">The context; its current transaction, if any, is used.</param>
    /// <param name="target">The CRM.</param>
    /// <param name="requests">The customers, each once.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task EnterAsync(
        SagasDbContext database, LedgerTarget target, IReadOnlyList<CrmRequest> requests, CancellationToken cancellation)
    {
        await database.Database.OpenConnectionAsync(cancellation);
        try
        {
            await using var command = new NpgsqlCommand(
                Sql, (NpgsqlConnection)database.Database.GetDbConnection(), database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction);
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. requests.Select(request => request.CorrelationId)] });
            command.Parameters.Add(new NpgsqlParameter<Guid?[]> { TypedValue = [.. requests.Select(request => request.ConversationId)] });
            command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. requests.Select(request => request.Retry)] });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = target.Name });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = target.Mode.ToString() });
            command.Parameters.Add(new NpgsqlParameter { Value = target.Options.LookupDelay, NpgsqlDbType = NpgsqlDbType.Interval });
            await command.ExecuteNonQueryAsync(cancellation);
        }
        finally
        {
            await database.Database.CloseConnectionAsync();
        }
    }
}
