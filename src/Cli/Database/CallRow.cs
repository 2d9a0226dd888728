using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A call to a third party.</summary>
/// <param name="Target">The third party.</param>
/// <param name="Key">The call's name at the target.</param>
/// <param name="PaymentId">The payment it is made for, where it is made for one.</param>
/// <param name="CustomerId">The customer it sends to the CRM.</param>
/// <param name="State">waiting, in_flight, done, failed or parked.</param>
/// <param name="Mode">How an unknown outcome is resolved.</param>
/// <param name="Attempts">How often it was started.</param>
/// <param name="Due">When it is tried next, or in flight counts as abandoned.</param>
/// <param name="LastOutcome">The outcome of the last attempt.</param>
/// <param name="CreatedAt">When it was enqueued.</param>
/// <param name="StartedAt">When the last attempt started.</param>
/// <param name="FinishedAt">When it was done, failed or parked.</param>
internal sealed record CallRow(
    string Target,
    string Key,
    string? PaymentId,
    string? CustomerId,
    string State,
    string Mode,
    int Attempts,
    DateTimeOffset? Due,
    string? LastOutcome,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt
)
{
    /// <summary>The states of a call that is not done.</summary>
    public static readonly string[] OpenStates = ["waiting", "in_flight", "failed", "parked"];

    // Show only the latest calls.
    private const int CallsOfCustomer = 10;

    private const string Order =
        "ORDER BY array_position(ARRAY['parked', 'in_flight', 'waiting', 'failed'], l.state), l.created_at";

    private const string Whose =
        "LEFT JOIN payment_state p ON p.correlation_id = l.correlation_id LEFT JOIN customer_state c ON c.correlation_id = "
        + "l.correlation_id";

    private const string Sql = $"SELECT l.*, p.payment_id, c.customer_id FROM outbound_call l {Whose}";

    // Chooses the calls before it looks up their payments and customers: hundreds of thousands may be open.
    private const string OpenSql = $"""
        SELECT l.*, p.payment_id, c.customer_id FROM (
            SELECT * FROM outbound_call l WHERE l.state NOT IN ('done', 'superseded') AND ($1::text IS NULL OR l.state = $1)
            {Order} LIMIT $2) l
        {Whose} {Order}
        """;

    // Looks a key up at each of the few targets: the index begins with the target.
    private const string FindSql = $"""
        WITH RECURSIVE targets AS (
            SELECT min(target) AS target FROM outbound_call
            UNION ALL
            SELECT (SELECT min(target) FROM outbound_call WHERE target > t.target) FROM targets t WHERE t.target IS NOT NULL)
        {Sql} WHERE l.target IN (SELECT target FROM targets WHERE $1::text IS NULL OR target = $1)
            AND l.idempotency_key = $2 ORDER BY l.target
        """;

    /// <summary>Calls that are not done: parked ones first, then the oldest.</summary>
    public static Task<IReadOnlyList<CallRow>> OpenAsync(
        SagasDatabase database,
        string? state,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            OpenSql,
            Read,
            cancellationToken,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit }
        );

    /// <summary>The calls of one key.</summary>
    public static Task<IReadOnlyList<CallRow>> FindAsync(
        SagasDatabase database,
        string? target,
        string key,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            FindSql,
            Read,
            cancellationToken,
            new() { Value = (object?)target ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = key }
        );

    /// <summary>The newest calls that send a customer to the CRM, the oldest of them first.</summary>
    public static Task<IReadOnlyList<CallRow>> OfCustomerAsync(
        SagasDatabase database,
        Guid customer,
        int version,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            // By their keys: the customer is not indexed.
            Sql + " WHERE l.target = 'crm' AND l.idempotency_key = ANY ($1) ORDER BY l.created_at",
            Read,
            cancellationToken,
            new Npgsql.NpgsqlParameter
            {
                Value = Enumerable
                    .Range(Math.Max(1, version - CallsOfCustomer + 1), Math.Min(version, CallsOfCustomer))
                    .Select(number => $"{customer:D}/{number}")
                    .ToArray(),
            }
        );

    private static CallRow Read(Row row) =>
        new(
            row.Get<string>("target"),
            row.Get<string>("idempotency_key"),
            row.Text("payment_id"),
            row.Text("customer_id"),
            row.Get<string>("state"),
            row.Get<string>("mode"),
            row.Get<int>("attempts"),
            row.GetNullable<DateTimeOffset>("due"),
            row.Text("last_outcome"),
            row.Get<DateTimeOffset>("created_at"),
            row.GetNullable<DateTimeOffset>("started_at"),
            row.GetNullable<DateTimeOffset>("finished_at")
        );
}
