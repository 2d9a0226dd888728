using Npgsql;
using Sagas.Cli.Database;

namespace Sagas.Cli.Payments;

/// <summary>All about a payment.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CorrelationId">Its saga.</param>
/// <param name="CustomerId">The customer who pays.</param>
/// <param name="State">How far it is.</param>
/// <param name="Amount">How much.</param>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="RequestedAt">When it was requested.</param>
/// <param name="Attempts">How often the saga looked for its customer.</param>
/// <param name="NextDueAt">When the saga looks for the customer next.</param>
/// <param name="DeadlineAt">When the wait for the customer ends.</param>
/// <param name="GatewayReference">The gateway's name for the charge.</param>
/// <param name="FailureReason">Why it failed or expired.</param>
/// <param name="CreatedAt">When the request was consumed.</param>
/// <param name="UpdatedAt">When it changed last.</param>
/// <param name="FinishedAt">When it reached a final state.</param>
/// <param name="CustomerIsKnown">Whether its customer is registered.</param>
/// <param name="Timeline">Its history.</param>
/// <param name="GatewayCall">The call to the gateway.</param>
/// <param name="Messages">Its messages that are not published yet.</param>
internal sealed record PaymentDetails(
    string PaymentId,
    Guid CorrelationId,
    string CustomerId,
    string State,
    decimal Amount,
    string Currency,
    DateTimeOffset RequestedAt,
    int Attempts,
    DateTimeOffset? NextDueAt,
    DateTimeOffset DeadlineAt,
    string? GatewayReference,
    string? FailureReason,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? FinishedAt,
    bool CustomerIsKnown,
    IReadOnlyList<Transition> Timeline,
    CallRow? GatewayCall,
    IReadOnlyList<OutboxRow> Messages
)
{
    // The gateway's name among the targets of outbound calls.
    private const string Gateway = "payment-gateway";

    /// <summary>Reads a payment; null: it is unknown.</summary>
    public static async Task<PaymentDetails?> FindAsync(
        SagasDatabase database,
        string paymentId,
        CancellationToken cancellationToken
    )
    {
        var correlationId = SagaIdentity.Payment(paymentId);
        var found = await database.QueryAsync(
            """
            SELECT p.*, EXISTS (
                SELECT FROM customer_state WHERE correlation_id = saga_key('customer', p.customer_id)) AS customer_is_known
            FROM payment_state p WHERE p.correlation_id = $1
            """,
            row => (Payment: Read(row), Token: row.GetNullable<Guid>("redelivery_token_id")),
            cancellationToken,
            new NpgsqlParameter { Value = correlationId }
        );
        if (found is not [var (payment, token)])
            return null;

        var calls = await CallRow.FindAsync(database, Gateway, correlationId.ToString("D"), cancellationToken);
        return payment with
        {
            Timeline = await Transition.OfSagaAsync(database, correlationId, cancellationToken),
            GatewayCall = calls.FirstOrDefault(),
            Messages = await OutboxRow.OfSagaAsync(database, correlationId, token, cancellationToken),
        };
    }

    private static PaymentDetails Read(Row row) =>
        new(
            row.Get<string>("payment_id"),
            row.Get<Guid>("correlation_id"),
            row.Get<string>("customer_id"),
            row.Get<string>("current_state"),
            row.Amount("amount", "currency"),
            row.Get<string>("currency"),
            row.Get<DateTimeOffset>("requested_at"),
            row.Get<int>("attempts"),
            row.GetNullable<DateTimeOffset>("next_due_at"),
            row.Get<DateTimeOffset>("deadline_at"),
            row.Text("gateway_reference"),
            row.Text("failure_reason"),
            row.Get<DateTimeOffset>("created_at"),
            row.Get<DateTimeOffset>("updated_at"),
            row.GetNullable<DateTimeOffset>("finished_at"),
            row.Get<bool>("customer_is_known"),
            [],
            null,
            []
        );
}
