using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Sagas.OutboundCalls;

namespace Sagas.Services.Crm;

/// <summary>A customer to send to the CRM.</summary>
/// <param name="CorrelationId">The customer's saga.</param>
/// <param name="ConversationId">The conversation that asks for it.</param>
/// <param name="Retry">A call that was rejected or parked is made again.</param>
internal readonly record struct CrmRequest(Guid CorrelationId, Guid? ConversationId, bool Retry = false);

/// <summary>Enqueues the CRM's calls, many at a time, with the data that the customers have now.</summary>
internal static class CrmCalls
{
    private const string SyncingSql = """
        SELECT correlation_id, version, synced_version, a.conversation_id,
               jsonb_build_object('customerId', customer_id, 'version', version, 'firstName', first_name, 'lastName', last_name,
                                  'email', email, 'phone', phone, 'registeredAt', registered_at)::text
        FROM customer_state JOIN unnest($1, $2) AS a (correlation_id, conversation_id) USING (correlation_id)
        WHERE correlation_id = ANY ($1) AND current_state = 'Syncing'
        """;

    // A customer who is syncing while their call is parked is one whom an operator wants sent again. The lock makes sure of
    // that: a call that is parked at this moment, while a retry is delivered for the second time, is not made again.
    private const string RetriedSql = """
        SELECT correlation_id::text || '/' || version FROM customer_state
        WHERE correlation_id = ANY ($1) AND current_state = 'Syncing'
        ORDER BY correlation_id FOR NO KEY UPDATE
        """;

    /// <summary>Enqueues calls for the customers that are waiting for one; calls that are enqueued already stay as they are.
    /// </summary>
    /// <param name="database">The context; its current transaction, if any, is used.</param>
    /// <param name="target">The CRM.</param>
    /// <param name="requests">The customers, each once.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task EnqueueAsync(
        DbContext database,
        CallTarget target,
        IReadOnlyList<CrmRequest> requests,
        CancellationToken cancellationToken
    )
    {
        await database.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            var calls = await ReadAsync(database, requests, cancellationToken);
            await CallQueue.EnqueueAsync(database, target, calls, cancellationToken);
            var retried = requests.Where(request => request.Retry).Select(request => request.CorrelationId).ToArray();
            if (retried.Length > 0)
                await RetryAsync(database, target, retried, cancellationToken);
        }
        finally
        {
            await database.Database.CloseConnectionAsync();
        }
    }

    private static async Task<List<NewCall>> ReadAsync(
        DbContext database,
        IReadOnlyList<CrmRequest> requests,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(database, SyncingSql);
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = [.. requests.Select(request => request.CorrelationId)] }
        );
        command.Parameters.Add(
            new NpgsqlParameter<Guid?[]> { TypedValue = [.. requests.Select(request => request.ConversationId)] }
        );
        var calls = new List<NewCall>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            var (customer, version) = (row.GetGuid(0), row.GetInt32(1));
            var synced = row.IsDBNull(2) ? 0 : row.GetInt32(2);
            // Only one call of a customer is open at a time, so these are closed, with two exceptions: one that an operator
            // retried is in flight, and one whose outcome is unknown may still be executing.
            var older = Enumerable.Range(synced + 1, Math.Max(0, version - synced - 1));
            calls.Add(
                new(Key(customer, version), row.GetString(4), row.IsDBNull(3) ? null : row.GetGuid(3), customer)
                {
                    Supersedes = [.. older.Select(number => Key(customer, number))],
                }
            );
        }

        return calls;
    }

    private static async Task RetryAsync(
        DbContext database,
        CallTarget target,
        Guid[] customers,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = database.Database.CurrentTransaction is null
            ? await database.Database.BeginTransactionAsync(cancellationToken)
            : null;
        var keys = new List<string>();
        await using (var command = Command(database, RetriedSql))
        {
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = customers });
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            while (await row.ReadAsync(cancellationToken))
                keys.Add(row.GetString(0));
        }

        await CallQueue.RetryAsync(database, target, keys, cancellationToken);
        if (transaction is not null)
            await transaction.CommitAsync(cancellationToken);
    }

    private static string Key(Guid customer, int version) =>
        string.Create(CultureInfo.InvariantCulture, $"{customer:D}/{version}");

    private static NpgsqlCommand Command(DbContext database, string sql) =>
        new(
            sql,
            (NpgsqlConnection)database.Database.GetDbConnection(),
            database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction
        );
}
