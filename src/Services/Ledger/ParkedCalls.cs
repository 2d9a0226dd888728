using Npgsql;
using NpgsqlTypes;

namespace Sagas.Services.Ledger;

/// <summary>A call at a third party.</summary>
/// <param name="Target">The third party.</param>
/// <param name="IdempotencyKey">The call's name at the target.</param>
public sealed record CallKey(string Target, string IdempotencyKey);

/// <summary>Which parked calls; null does not restrict.</summary>
public sealed record ParkedCallFilter
{
    /// <summary>Only calls to this target.</summary>
    public string? Target { get; init; }

    /// <summary>No calls to this target.</summary>
    public string? ExceptTarget { get; init; }

    /// <summary>Only calls with one of these idempotency keys.</summary>
    public IReadOnlyCollection<string>? Keys { get; init; }

    /// <summary>Only calls of this saga or file.</summary>
    public Guid? CorrelationId { get; init; }
}

/// <summary>Calls that wait for a person. There is one way to retry them, whichever command or endpoint asks.</summary>
public static class ParkedCalls
{
    // Calls of a target with a rate are spread over the time that they take anyway, which leaves room for others meanwhile.
    private const string RetrySql = """
        UPDATE ledger l SET state = 'waiting', finished_at = NULL, attempts = 0,
            may_have_happened = may_have_happened AND mode <> 'AtMostOnce',
            due = now() + make_interval(secs => p.place / coalesce((SELECT per_second FROM ledger_limit m WHERE m.target = l.target), 2000))
        FROM (SELECT target, idempotency_key,
                     row_number() OVER (PARTITION BY target ORDER BY finished_at, idempotency_key) - 1 AS place
              FROM ledger
              WHERE state = 'parked'
                AND ($1::text IS NULL OR target = $1) AND ($2::text IS NULL OR target <> $2)
                AND ($3::text[] IS NULL OR idempotency_key = ANY ($3)) AND ($4::uuid IS NULL OR correlation_id = $4)) p
        WHERE l.target = p.target AND l.idempotency_key = p.idempotency_key AND l.state = 'parked'
        RETURNING l.target, l.idempotency_key
        """;

    /// <summary>
    /// Makes parked calls due, each once however many ask for it, with all their attempts before them. For a call in mode
    /// <see cref="LedgerMode.AtMostOnce"/> the caller vouches that it did not happen; in the other modes an unknown outcome
    /// is resolved as before any call.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="filter">Which calls.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The calls that are due now.</returns>
    public static async Task<IReadOnlyList<CallKey>> RetryAsync(
        NpgsqlDataSource database, ParkedCallFilter filter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(filter);
        await using var command = database.CreateCommand(RetrySql);
        Add(command, NpgsqlDbType.Text, filter.Target);
        Add(command, NpgsqlDbType.Text, filter.ExceptTarget);
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Text, filter.Keys?.ToArray());
        Add(command, NpgsqlDbType.Uuid, filter.CorrelationId);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var calls = new List<CallKey>();
        while (await row.ReadAsync(cancellationToken))
            calls.Add(new(row.GetString(0), row.GetString(1)));
        return calls;
    }

    private static void Add(NpgsqlCommand command, NpgsqlDbType type, object? value) =>
        command.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
}
