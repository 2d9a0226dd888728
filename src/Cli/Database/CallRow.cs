using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A call to a third party: a row of <c>outbound_call</c>.</summary>
/// <param name="Target">The third party.</param>
/// <param name="Key">The call's name at the target.</param>
/// <param name="PaymentId">The payment it is made for, where it is made for one.</param>
/// <param name="CustomerId">The customer whom the CRM is told of by it.</param>
/// <param name="State">waiting, in_flight, done, failed or parked.</param>
/// <param name="Mode">How an unknown outcome is resolved.</param>
/// <param name="Attempts">How often it was started.</param>
/// <param name="Due">When it is tried next, or in flight counts as abandoned.</param>
/// <param name="LastOutcome">What came of the last attempt.</param>
/// <param name="CreatedAt">When it was asked for.</param>
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
    DateTimeOffset? FinishedAt)
{
    /// <summary>The states of a call that is not done.</summary>
    public static readonly string[] OpenStates = ["waiting", "in_flight", "failed", "parked"];

    // A customer's older calls are of interest to a historian only.
    private const int CallsOfCustomer = 10;

    private const string Order = "ORDER BY array_position(ARRAY['parked', 'in_flight', 'waiting', 'failed'], l.state), l.created_at";

    private const string Whose =
        "LEFT JOIN payment_state p ON p.correlation_id = l.correlation_id LEFT JOIN customer_state c ON c.correlation_id = l.correlation_id";

    private const string Sql = $"SELECT l.*, p.payment_id, c.customer_id FROM outbound_call l {Whose}";

    // The calls that are shown are chosen before it is looked up whose they are: hundreds of thousands may be open.
    private const string OpenSql = $"""
        SELECT l.*, p.payment_id, c.customer_id FROM (
            SELECT * FROM outbound_call l WHERE l.state NOT IN ('done', 'superseded') AND ($1::text IS NULL OR l.state = $1) {Order} LIMIT $2) l
        {Whose} {Order}
        """;

    // A key is looked up at each target in turn, of which there are a few: the index begins with the target.
    private const string FindSql = $"""
        WITH RECURSIVE targets AS (
            SELECT min(target) AS target FROM outbound_call
            UNION ALL
            SELECT (SELECT min(target) FROM outbound_call WHERE target > t.target) FROM targets t WHERE t.target IS NOT NULL)
        {Sql} WHERE l.target IN (SELECT target FROM targets WHERE $1::text IS NULL OR target = $1) AND l.idempotency_key = $2 ORDER BY l.target
        """;

    /// <summary>Calls that are not done: those that need a person first, then the oldest.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="state">Only those in this state; null: all that are not done.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<CallRow>> OpenAsync(SagasDatabase database, string? state, int limit, CancellationToken stop) =>
        database.QueryAsync(
            OpenSql,
            Read,
            stop,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit });

    /// <summary>The calls of one key.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="target">The third party; null: whichever.</param>
    /// <param name="key">The call's name at the target.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<CallRow>> FindAsync(
        SagasDatabase database, string? target, string key, CancellationToken stop) =>
        database.QueryAsync(
            FindSql,
            Read,
            stop,
            new() { Value = (object?)target ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = key });

    /// <summary>The newest calls that tell the CRM of a customer, oldest first.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="customer">The customer's saga.</param>
    /// <param name="version">The version of the customer's data.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<CallRow>> OfCustomerAsync(SagasDatabase database, Guid customer, int version, CancellationToken stop) =>
        database.QueryAsync(
            // Their keys are known; what they are entered with is not indexed.
            Sql + " WHERE l.target = 'crm' AND l.idempotency_key = ANY ($1) ORDER BY l.created_at",
            Read,
            stop,
            new Npgsql.NpgsqlParameter
            {
                Value = Enumerable.Range(Math.Max(1, version - CallsOfCustomer + 1), Math.Min(version, CallsOfCustomer)).Select(number => $"{customer:D}/{number}").ToArray(),
            });

    private static CallRow Read(Row row) => new(
        row.Get<string>("target"),
        row.Get<string>("idempotency_key"),
        row.Text("payment_id"),
        row.Text("customer_id"),
        row.Get<string>("state"),
        row.Get<string>("mode"),
        row.Get<int>("attempts"),
        row.Maybe<DateTimeOffset>("due"),
        row.Text("last_outcome"),
        row.Get<DateTimeOffset>("created_at"),
        row.Maybe<DateTimeOffset>("started_at"),
        row.Maybe<DateTimeOffset>("finished_at"));
}
