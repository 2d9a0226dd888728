using System.Globalization;
using Npgsql;
using Sagas.Payments;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Payments.Pages;

/// <summary>A payment.</summary>
/// <param name="PaymentId">Its id.</param>
/// <param name="CorrelationId">Its saga's id.</param>
/// <param name="CustomerId">Who pays.</param>
/// <param name="State">Its state.</param>
/// <param name="Amount">How much.</param>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="Attempts">How often the customer was looked up and not found.</param>
/// <param name="NextDueAt">When the customer is looked for next.</param>
/// <param name="DeadlineAt">When the wait for the customer ends.</param>
/// <param name="GatewayReference">The gateway's name for the charge.</param>
/// <param name="FailureReason">Why it failed or expired.</param>
/// <param name="CreatedAt">When it was received.</param>
/// <param name="UpdatedAt">When it changed last.</param>
/// <param name="FinishedAt">When it reached a final state.</param>
public sealed record PaymentView(
    string PaymentId,
    Guid CorrelationId,
    string CustomerId,
    string State,
    decimal Amount,
    string Currency,
    int Attempts,
    DateTimeOffset? NextDueAt,
    DateTimeOffset DeadlineAt,
    string? GatewayReference,
    string? FailureReason,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? FinishedAt
);

/// <summary>A payment with all that is known of it.</summary>
/// <param name="Payment">The payment.</param>
/// <param name="CustomerIsKnown">Whether its customer is registered.</param>
/// <param name="Timeline">What it went through.</param>
/// <param name="Call">Its call to the gateway.</param>
/// <param name="Waiting">The scheduled message that wakes it.</param>
public sealed record PaymentDetails(
    PaymentView Payment,
    bool CustomerIsKnown,
    IReadOnlyList<SagaStep> Timeline,
    CallView? Call,
    WaitingMessage? Waiting
)
{
    /// <summary>What remains, and what will wake it; null: nothing remains.</summary>
    public string? Remains { get; init; }
}

/// <summary>Which payments.</summary>
/// <param name="State">Only in this state.</param>
/// <param name="Customer">Only of this customer.</param>
/// <param name="Search">Only those whose id has this part; a whole id is found whatever its age, a part among the newest.</param>
public sealed record PaymentFilter(string? State, string? Customer, string? Search);

/// <summary>Reads payments for pages and API.</summary>
internal sealed class PaymentReader(NpgsqlDataSource database, SagaReader sagas)
{
    /// <summary>A part of an id, or a state that has no index, is looked for among this many of the newest payments.</summary>
    public const int Searched = 50_000;

    private const string Columns = "p.*";

    // One index each: by state for those that stay, by customer, or by time for all.
    private const string OpenSql = $"""
        SELECT {Columns} FROM payment_state p
        WHERE current_state = $1 AND current_state IN ('AwaitingCustomer', 'Failed', 'Expired')
          AND (created_at, correlation_id) < ($2, $3) ORDER BY created_at DESC, correlation_id DESC LIMIT $4
        """;

    private const string CustomerSql = $"""
        SELECT {Columns} FROM payment_state p WHERE customer_id = $1 AND ($5::text IS NULL OR current_state = $5)
          AND (created_at, correlation_id) < ($2, $3) ORDER BY created_at DESC, correlation_id DESC LIMIT $4
        """;

    private static readonly string _newestSql = string.Create(
        CultureInfo.InvariantCulture,
        $"""
        SELECT {Columns} FROM (
            SELECT * FROM payment_state WHERE created_at <= $2 ORDER BY created_at DESC LIMIT {Searched}) p
        WHERE (created_at, correlation_id) < ($2, $3) AND ($1::text IS NULL OR current_state = $1)
          AND ($5::text IS NULL OR position($5 IN payment_id) > 0)
        ORDER BY created_at DESC, correlation_id DESC LIMIT $4
        """
    );

    private const string ShowSql = $"""
        SELECT {Columns}, EXISTS (
            SELECT FROM customer_state WHERE correlation_id = saga_key('customer', p.customer_id)) AS customer_is_known
        FROM payment_state p WHERE correlation_id = $1
        """;

    private static readonly string[] _indexed =
    [
        nameof(PaymentStateMachine.AwaitingCustomer),
        nameof(PaymentStateMachine.Failed),
        nameof(PaymentStateMachine.Expired),
    ];

    public async Task<ResultPage<PaymentView>> ListAsync(
        PaymentFilter filter,
        string? cursor,
        int size,
        CancellationToken cancellationToken
    )
    {
        var (time, id) = PageCursor.Parse(cursor) ?? new(DateTimeOffset.MaxValue.AddYears(-1), Guid.Empty);
        if (filter.Search is { } search && await FindAsync(search, cancellationToken) is { } exact)
            return new([exact], null);
        var (sql, first, last) =
            filter.Customer is { } customer ? (CustomerSql, customer, filter.State)
            : filter.Search is null && _indexed.Contains(filter.State) ? (OpenSql, filter.State, null)
            : (_newestSql, filter.State, filter.Search);
        object?[] parameters = sql == OpenSql ? [first, time, id, size + 1] : [first, time, id, size + 1, last];
        var rows = await database.RowsAsync(sql, Read, cancellationToken, parameters);
        return PageCursor.Page(rows, size, payment => new(payment.CreatedAt, payment.CorrelationId));
    }

    public async Task<PaymentDetails?> ShowAsync(string paymentId, CancellationToken cancellationToken)
    {
        var found = await database.RowAsync(
            ShowSql,
            row => (Payment: Read(row), IsKnown: row.Flag("customer_is_known"), Token: row.OptionalId("redelivery_token_id")),
            cancellationToken,
            SagaIdentity.Payment(paymentId)
        );
        if (found is not ({ } payment, var isKnown, var token))
            return null;
        var details = new PaymentDetails(
            payment,
            isKnown,
            await sagas.HistoryAsync(payment.CorrelationId, cancellationToken),
            await sagas.CallAsync(PaymentGateway.TargetName, payment.CorrelationId.ToString("D"), cancellationToken),
            token is { } scheduled ? await sagas.ScheduledAsync(scheduled, cancellationToken) : null
        );
        return details with { Remains = PaymentRemains.Of(details) };
    }

    private Task<PaymentView?> FindAsync(string paymentId, CancellationToken cancellationToken) =>
        database.RowAsync<PaymentView>(
            $"SELECT {Columns} FROM payment_state p WHERE correlation_id = $1",
            Read,
            cancellationToken,
            SagaIdentity.Payment(paymentId)
        );

    private static PaymentView Read(NpgsqlDataReader row) =>
        new(
            row.Text("payment_id"),
            row.Id("correlation_id"),
            row.Text("customer_id"),
            row.Text("current_state"),
            Currencies.Normalize(row.GetDecimal(row.GetOrdinal("amount")), row.Text("currency")),
            row.Text("currency"),
            row.Int("attempts"),
            row.OptionalTime("next_due_at"),
            row.Time("deadline_at"),
            row.OptionalText("gateway_reference"),
            row.OptionalText("failure_reason"),
            row.Time("created_at"),
            row.Time("updated_at"),
            row.OptionalTime("finished_at")
        );
}
