using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A row of the view customers_overview.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="State">How far they are known.</param>
/// <param name="FirstName">Given name.</param>
/// <param name="LastName">Family name.</param>
/// <param name="Email">E-mail address.</param>
/// <param name="Phone">Telephone number.</param>
/// <param name="Version">Counts changes of the data.</param>
/// <param name="SyncedVersion">The version that the CRM has.</param>
/// <param name="SyncFailure">Why the CRM could not be told.</param>
/// <param name="CrmCall">State of the call that tells the CRM of this version.</param>
/// <param name="CrmAttempts">How often it was started.</param>
/// <param name="CrmOutcome">What came of the last attempt.</param>
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
    long Open)
{
    /// <summary>First and last name.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Name => string.Join(' ', new[] { FirstName, LastName }.Where(name => !string.IsNullOrEmpty(name)));

    /// <summary>The customers that changed last.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="state">Only those in this state; null: all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<CustomerRow>> NewestAsync(
        SagasDatabase database, string? state, int limit, CancellationToken stop) =>
        database.QueryAsync(
            // The inner query chooses before the view counts payments, which costs a look-up per customer.
            """
            SELECT o.* FROM customers_overview o WHERE o.customer_id IN (
                SELECT customer_id FROM customer_state WHERE $1::text IS NULL OR current_state = $1
                ORDER BY updated_at DESC, customer_id LIMIT $2)
            ORDER BY o.updated_at DESC, o.customer_id
            """,
            Read,
            stop,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit });

    /// <summary>One customer; empty when there is none.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="customerId">The customer.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<CustomerRow>> FindAsync(SagasDatabase database, string customerId, CancellationToken stop) =>
        database.QueryAsync("SELECT * FROM customers_overview WHERE customer_id = $1", Read, stop, new Npgsql.NpgsqlParameter { Value = customerId });

    private static CustomerRow Read(Row row) => new(
        row.Get<string>("customer_id"),
        row.Get<string>("state"),
        row.Text("first_name"),
        row.Text("last_name"),
        row.Text("email"),
        row.Text("phone"),
        row.Get<int>("version"),
        row.Maybe<int>("synced_version"),
        row.Text("sync_failure"),
        row.Text("crm_call"),
        row.Maybe<int>("crm_attempts"),
        row.Text("crm_outcome"),
        row.Get<DateTimeOffset>("registered_at"),
        row.Get<DateTimeOffset>("updated_at"),
        row.Get<long>("payments"),
        row.Get<long>("completed"),
        row.Get<long>("open"));
}
