using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.OutboundCalls;

namespace Sagas.Services.Crm;

/// <summary>
/// Applies the results of calls to their customers as <see cref="CustomerStateMachine"/> applies <c>CustomerSynced</c> and
/// <c>CustomerSyncFailed</c>, history included, but for many customers at once and in the transaction that closes the calls. A
/// message for each would cost several times as much as the call itself.
/// </summary>
internal static class CrmResults
{
    // Customers are locked in one order, so that two such statements do not wait for each other.
    private const string LoadSql = """
        SELECT correlation_id, current_state, version, synced_version, sync_failure FROM customer_state
        WHERE correlation_id = ANY ($1) ORDER BY correlation_id FOR UPDATE
        """;

    private const string StoreSql = """
        WITH change AS MATERIALIZED (
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
                AS c (correlation_id, from_state, to_state, synced_version, sync_failure, event, conversation_id)),
        stored AS (
            UPDATE customer_state c
            SET current_state = n.to_state, synced_version = n.synced_version, sync_failure = n.sync_failure, updated_at = now()
            FROM change n WHERE c.correlation_id = n.correlation_id)
        INSERT INTO saga_transition (saga, correlation_id, from_state, to_state, event, conversation_id)
        SELECT 'customer_state', correlation_id, from_state, to_state, event, conversation_id FROM change
        """;

    /// <summary>Updates the customers, and enqueues the next call of those whose data have changed.</summary>
    /// <param name="database">The context, in the transaction that closes the calls.</param>
    /// <param name="target">The CRM.</param>
    /// <param name="completed">The calls that completed.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Whether calls were enqueued.</returns>
    public static async Task<bool> ApplyAsync(
        DbContext database,
        CallTarget target,
        IReadOnlyList<CompletedCall> completed,
        CancellationToken cancellationToken
    )
    {
        var next = await UpdateAsync(database, completed, cancellationToken);
        if (next.Count == 0)
            return false;
        await CrmCalls.EnqueueAsync(database, target, next, cancellationToken);
        return true;
    }

    private static async Task<List<CrmRequest>> UpdateAsync(
        DbContext database,
        IReadOnlyList<CompletedCall> completed,
        CancellationToken cancellationToken
    )
    {
        // Of two results of one customer, late ones among them, the newest data's counts.
        var results = completed
            .Where(end => end.Call.CorrelationId is not null)
            .GroupBy(end => end.Call.CorrelationId!.Value)
            .ToDictionary(customer => customer.Key, customer => customer.MaxBy(end => VersionOf(end.Call))!);
        var changes = (await LoadAsync(database, [.. results.Keys], cancellationToken))
            .Select(customer => Apply(customer.Key, customer.Value, results[customer.Key]))
            .Where(change => change.Transition.Change != CustomerChange.None)
            .ToArray();
        if (changes.Length > 0)
            await StoreAsync(database, changes, cancellationToken);
        return
        [
            .. changes
                .Where(change => change.Transition.CallsCrm)
                .Select(change => new CrmRequest(change.CorrelationId, change.ConversationId)),
        ];
    }

    private static Change Apply(Guid correlationId, CustomerStatus customer, CompletedCall result)
    {
        var version = VersionOf(result.Call);
        var synced = result.Completion == CallCompletion.Succeeded;
        var transition = synced
            ? CustomerTransitions.RecordSynced(customer, version, hasCrm: true)
            : CustomerTransitions.RecordSyncFailed(customer, version, result.Description, hasCrm: true);
        var name = synced ? nameof(CustomerSynced) : nameof(CustomerSyncFailed);
        return new Change(correlationId, customer.State, transition, name, result.Call.ConversationId);
    }

    private static async Task<Dictionary<Guid, CustomerStatus>> LoadAsync(
        DbContext database,
        Guid[] customers,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(database, LoadSql);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = customers });
        var loaded = new Dictionary<Guid, CustomerStatus>(customers.Length);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            loaded[row.GetGuid(0)] = new CustomerStatus(
                State: row.GetString(1),
                Version: row.GetInt32(2),
                SyncedVersion: row.IsDBNull(3) ? null : row.GetInt32(3),
                SyncFailure: row.IsDBNull(4) ? null : row.GetString(4)
            );
        }

        return loaded;
    }

    private static async Task StoreAsync(DbContext database, IReadOnlyList<Change> changes, CancellationToken cancellationToken)
    {
        await using var command = Command(database, StoreSql);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. changes.Select(change => change.CorrelationId)] });
        command.Parameters.Add(Texts(changes.Select(change => change.FromState)));
        command.Parameters.Add(Texts(changes.Select(change => change.Transition.Status.State)));
        command.Parameters.Add(
            new NpgsqlParameter<int?[]> { TypedValue = [.. changes.Select(change => change.Transition.Status.SyncedVersion)] }
        );
        command.Parameters.Add(Texts(changes.Select(change => change.Transition.Status.SyncFailure)));
        command.Parameters.Add(Texts(changes.Select(change => change.Event)));
        command.Parameters.Add(
            new NpgsqlParameter<Guid?[]> { TypedValue = [.. changes.Select(change => change.ConversationId)] }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(DbContext database, string sql) =>
        new(
            sql,
            (NpgsqlConnection)database.Database.GetDbConnection(),
            database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction
        );

    private static NpgsqlParameter<string?[]> Texts(IEnumerable<string?> values) =>
        new() { TypedValue = [.. values], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    // The key is the customer and the version of their data.
    private static int VersionOf(OutboundCall call) =>
        int.Parse(call.IdempotencyKey.AsSpan(call.IdempotencyKey.LastIndexOf('/') + 1), CultureInfo.InvariantCulture);

    private readonly record struct Change(
        Guid CorrelationId,
        string FromState,
        CustomerTransition Transition,
        string Event,
        Guid? ConversationId
    );
}
