using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sagas.Customers;
using Sagas.Persistence;

namespace Sagas.Database;

/// <summary>The directory in Postgres. It looks up what many messages ask for at the same time by one statement.</summary>
public sealed class CustomerDirectory : ICustomerDirectory
{
    // Lateral with OFFSET 0, which the planner does not change: an index look-up per row, whatever the statistics say of tables
    // that grow quickly.
    private const string FindKnown = """
        SELECT w.id FROM unnest($1::uuid[]) AS w (id)
        CROSS JOIN LATERAL (SELECT FROM customer_state c WHERE c.correlation_id = w.id OFFSET 0) c
        """;

    private const string FindWaiting = """
        SELECT w.id, p.payment_id FROM unnest($1::text[]) AS w (id)
        CROSS JOIN LATERAL (
            SELECT payment_id FROM payment_state
            WHERE customer_id = w.id AND current_state = 'AwaitingCustomer' OFFSET 0) p
        """;

    private static readonly BatchingOptions _batching = new(
        64,
        MaxConcurrentBatches: 2,
        GatherDelay: TimeSpan.FromMilliseconds(2),
        GathersOnlyUnderLoad: true
    );

    private readonly IServiceScopeFactory _scopes;
    private readonly BatchingWriter<Lookup<Guid, bool>> _known;
    private readonly BatchingWriter<Lookup<string, List<string>>> _waiting;

    /// <summary>Creates the directory.</summary>
    /// <param name="scopes">Creates the scopes of the contexts.</param>
    public CustomerDirectory(IServiceScopeFactory scopes)
    {
        _scopes = scopes;
        _known = new(_batching, FindKnownAsync, TimeProvider.System);
        _waiting = new(_batching, FindWaitingAsync, TimeProvider.System);
    }

    /// <inheritdoc />
    public async Task<bool> IsKnownAsync(string customerId, CancellationToken cancellationToken)
    {
        var lookup = new Lookup<Guid, bool>(SagaIdentity.Customer(customerId), false);
        await _known.WriteAsync(lookup);
        return lookup.Found;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> FindWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken)
    {
        // A payment whose commit is not done yet is not seen here; it did not see the customer either, and its own redelivery
        // will.
        var lookup = new Lookup<string, List<string>>(customerId.Trim(), []);
        await _waiting.WriteAsync(lookup);
        return lookup.Found;
    }

    private Task FindKnownAsync(IReadOnlyList<Lookup<Guid, bool>> lookups) =>
        QueryAsync(FindKnown, lookups, (lookup, _) => lookup.Found = true);

    private Task FindWaitingAsync(IReadOnlyList<Lookup<string, List<string>>> lookups) =>
        QueryAsync(FindWaiting, lookups, (lookup, reader) => lookup.Found.Add(reader.GetString(1)));

    private async Task QueryAsync<TKey, TResult>(
        string sql,
        IReadOnlyList<Lookup<TKey, TResult>> lookups,
        Action<Lookup<TKey, TResult>, NpgsqlDataReader> found
    )
        where TKey : notnull
    {
        var byKey = lookups.ToLookup(lookup => lookup.Key);
        await using var scope = _scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>().Database;
        await database.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, (NpgsqlConnection)database.GetDbConnection());
        command.Parameters.Add(new NpgsqlParameter<TKey[]> { TypedValue = [.. byKey.Select(group => group.Key)] });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            foreach (var lookup in byKey[reader.GetFieldValue<TKey>(0)])
                found(lookup, reader);
        }
    }

    private sealed class Lookup<TKey, TResult>(TKey key, TResult found)
    {
        public TKey Key => key;

        public TResult Found { get; set; } = found;
    }
}
