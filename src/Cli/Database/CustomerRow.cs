using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A row of the view customers_overview.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="State">Their state.</param>
/// <param name="FirstName">Given name.</param>
/// <param name="LastName">Family name.</param>
/// <param name="Email">E-mail address.</param>
/// <param name="Phone">Telephone number.</param>
/// <param name="Version">Counts changes of the data.</param>
/// <param name="SyncedVersion">The version that the CRM has.</param>
/// <param name="SyncFailure">Why the CRM does not have this version.</param>
/// <param name="CrmCall">State of the call that sends this version to the CRM.</param>
/// <param name="CrmAttempts">How often it was started.</param>
/// <param name="CrmOutcome">The outcome of the last attempt.</param>
/// <param name="RegisteredAt">Time of the data.</param>
/// <param name="UpdatedAt">When the row changed last.</param>
/// <param name="Payments">How many payments they have.</param>
/// <param name="Completed">How many of them are completed.</param>
/// <param name="Open">How many of them are under way.</param>
internal sealed record CustomerRow(
    string CustomerId,
    string State,
    string? FirstName,
    string? LastName,
    string? Email,
    string? Phone,
    int Version,
    int? SyncedVersion,
    string? SyncFailure,
    string? CrmCall,
    int? CrmAttempts,
    string? CrmOutcome,
    DateTimeOffset RegisteredAt,
    DateTimeOffset UpdatedAt,
    long Payments,
    long Completed,
    long Open
)
{
    /// <summary>First and last name.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Name => string.Join(' ', new[] { FirstName, LastName }.Where(name => !string.IsNullOrEmpty(name)));

    /// <summary>The customers that changed last.</summary>
    public static Task<IReadOnlyList<CustomerRow>> NewestAsync(
        SagasDatabase database,
        string? state,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            // Chooses before the view counts payments, which costs a look-up per customer.
            """
            SELECT o.* FROM customers_overview o WHERE o.correlation_id IN (
                SELECT correlation_id FROM customer_state WHERE $1::text IS NULL OR current_state = $1
                ORDER BY updated_at DESC, customer_id LIMIT $2)
            ORDER BY o.updated_at DESC, o.customer_id
            """,
            Read,
            cancellationToken,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit }
        );

    /// <summary>One customer; empty when there is none.</summary>
    public static Task<IReadOnlyList<CustomerRow>> FindAsync(
        SagasDatabase database,
        string customerId,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            "SELECT * FROM customers_overview WHERE correlation_id = $1",
            Read,
            cancellationToken,
            new Npgsql.NpgsqlParameter { Value = SagaIdentity.Customer(customerId) }
        );

    /// <summary>Every customer in a state.</summary>
    public static Task<IReadOnlyList<string>> IdsAsync(
        SagasDatabase database,
        string state,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            "SELECT customer_id FROM customer_state WHERE current_state = $1 ORDER BY updated_at, customer_id",
            row => row.Get<string>("customer_id"),
            cancellationToken,
            new Npgsql.NpgsqlParameter { Value = state }
        );

    /// <summary>Those of some customers that do not wait for the CRM, with their states; null: unknown.</summary>
    public static Task<IReadOnlyList<(Guid Customer, string? State)>> SettledAsync(
        SagasDatabase database,
        Guid[] customers,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            // Lateral: an index look-up for each, with any statistics of the table.
            """
            SELECT asked.id, c.current_state FROM unnest($1) AS asked (id)
            LEFT JOIN LATERAL (SELECT current_state FROM customer_state WHERE correlation_id = asked.id OFFSET 0) c ON true
            WHERE c.current_state IS DISTINCT FROM 'Syncing'
            """,
            row => (row.Get<Guid>("id"), row.Text("current_state")),
            cancellationToken,
            new Npgsql.NpgsqlParameter<Guid[]> { TypedValue = customers }
        );

    private static CustomerRow Read(Row row) =>
        new(
            row.Get<string>("customer_id"),
            row.Get<string>("state"),
            row.Text("first_name"),
            row.Text("last_name"),
            row.Text("email"),
            row.Text("phone"),
            row.Get<int>("version"),
            row.GetNullable<int>("synced_version"),
            row.Text("sync_failure"),
            row.Text("crm_call"),
            row.GetNullable<int>("crm_attempts"),
            row.Text("crm_outcome"),
            row.Get<DateTimeOffset>("registered_at"),
            row.Get<DateTimeOffset>("updated_at"),
            row.Get<long>("payments"),
            row.Get<long>("completed"),
            row.Get<long>("open")
        );
}
