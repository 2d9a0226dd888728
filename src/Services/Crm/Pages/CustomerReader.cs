using System.Globalization;
using Npgsql;
using Sagas.Services.Operations.Pages;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Crm.Pages;

/// <summary>A customer.</summary>
/// <param name="CustomerId">Its id.</param>
/// <param name="CorrelationId">Its saga's id.</param>
/// <param name="State">Its state.</param>
/// <param name="FirstName">Given name, masked for viewers.</param>
/// <param name="LastName">Family name, masked for viewers.</param>
/// <param name="Email">E-mail address, masked for viewers.</param>
/// <param name="Phone">Telephone number, masked for viewers.</param>
/// <param name="Source">The system that sent the data.</param>
/// <param name="Version">Counts changes of the data.</param>
/// <param name="SyncedVersion">The version that the CRM has.</param>
/// <param name="SyncFailure">Why the CRM does not have the newest.</param>
/// <param name="FileId">The file that the customer came in.</param>
/// <param name="RegisteredAt">Time of the data held.</param>
/// <param name="UpdatedAt">When it changed last.</param>
public sealed record CustomerView(
    string CustomerId,
    Guid CorrelationId,
    string State,
    string? FirstName,
    string? LastName,
    string? Email,
    string? Phone,
    string? Source,
    int Version,
    int? SyncedVersion,
    string? SyncFailure,
    Guid? FileId,
    DateTimeOffset RegisteredAt,
    DateTimeOffset UpdatedAt
)
{
    /// <summary>The customer as a viewer may see it.</summary>
    internal CustomerView Masked() =>
        this with
        {
            FirstName = Mask(FirstName),
            LastName = Mask(LastName),
            Email = Mask(Email),
            Phone = Mask(Phone),
        };

    private static string? Mask(string? text) => text is null ? null : Show.Masked(text);
}

/// <summary>A customer with all that is known of it.</summary>
/// <param name="Customer">The customer.</param>
/// <param name="Timeline">What it went through.</param>
/// <param name="Calls">Its calls to the CRM, the newest first.</param>
public sealed record CustomerDetails(CustomerView Customer, IReadOnlyList<SagaStep> Timeline, IReadOnlyList<CallView> Calls);

/// <summary>Reads customers for pages and API.</summary>
internal sealed class CustomerReader(NpgsqlDataSource database, SagaReader sagas)
{
    // As many of the newest calls as a page shows.
    private const int ShownVersions = 20;

    private const string FailedSql = """
        SELECT c.* FROM outbound_call l JOIN customer_state c ON c.correlation_id = l.correlation_id
        WHERE l.state IN ('parked', 'failed') AND l.target = 'crm' AND c.current_state = 'SyncFailed'
          AND (l.finished_at, c.correlation_id) < ($1, $2) ORDER BY l.finished_at DESC, c.correlation_id DESC LIMIT $3
        """;

    private const string AllSql = "SELECT * FROM customer_state WHERE correlation_id > $1 ORDER BY correlation_id LIMIT $2";

    public async Task<ResultPage<CustomerView>> ListAsync(
        string? search,
        bool onlyFailed,
        string? cursor,
        int size,
        CancellationToken cancellationToken
    )
    {
        if (search is not null)
            return new(await FindAsync(search, cancellationToken) is { } found ? [found] : [], null);
        var after = PageCursor.Parse(cursor);
        var rows = onlyFailed
            ? await database.RowsAsync(
                FailedSql,
                Read,
                cancellationToken,
                after?.Time ?? DateTimeOffset.MaxValue.AddYears(-1),
                after?.Id ?? Guid.Empty,
                size + 1
            )
            : await database.RowsAsync(AllSql, Read, cancellationToken, after?.Id ?? Guid.Empty, size + 1);
        return PageCursor.Page(rows, size, customer => new(customer.UpdatedAt, customer.CorrelationId));
    }

    public async Task<CustomerDetails?> ShowAsync(string customerId, CancellationToken cancellationToken)
    {
        if (await FindAsync(customerId, cancellationToken) is not { } customer)
            return null;
        var keys = Enumerable
            .Range(0, Math.Min(customer.Version, ShownVersions))
            .Select(ago => string.Create(CultureInfo.InvariantCulture, $"{customer.CorrelationId:D}/{customer.Version - ago}"));
        return new(
            customer,
            await sagas.HistoryAsync(customer.CorrelationId, cancellationToken),
            await sagas.CallsAsync(CrmTarget.TargetName, [.. keys], cancellationToken)
        );
    }

    private Task<CustomerView?> FindAsync(string customerId, CancellationToken cancellationToken) =>
        database.RowAsync<CustomerView>(
            "SELECT * FROM customer_state WHERE correlation_id = $1",
            Read,
            cancellationToken,
            SagaIdentity.Customer(customerId)
        );

    private static CustomerView Read(NpgsqlDataReader row) =>
        new(
            row.Text("customer_id"),
            row.Id("correlation_id"),
            row.Text("current_state"),
            row.OptionalText("first_name"),
            row.OptionalText("last_name"),
            row.OptionalText("email"),
            row.OptionalText("phone"),
            row.OptionalText("source"),
            row.Int("version"),
            row.IsDBNull(row.GetOrdinal("synced_version")) ? null : row.Int("synced_version"),
            row.OptionalText("sync_failure"),
            row.OptionalId("file_id"),
            row.Time("registered_at"),
            row.Time("updated_at")
        );
}
