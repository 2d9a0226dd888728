using Npgsql;
using Sagas.Cli.Database;

namespace Sagas.Cli.Show;

/// <summary>All about a payment.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CorrelationId">Its saga.</param>
/// <param name="CustomerId">Who pays.</param>
/// <param name="State">How far it is.</param>
/// <param name="Amount">How much.</param>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="Attempts">How often its customer was looked for in vain.</param>
/// <param name="NextDueAt">When the customer is looked for next.</param>
/// <param name="DeadlineAt">When the wait for the customer ends.</param>
/// <param name="GatewayReference">The gateway's name for the charge.</param>
/// <param name="FailureReason">Why it failed or expired.</param>
/// <param name="CreatedAt">When it became known here.</param>
/// <param name="UpdatedAt">When it changed last.</param>
/// <param name="FinishedAt">When it was done.</param>
/// <param name="CustomerIsKnown">Whether its customer is registered.</param>
/// <param name="Timeline">What it went through.</param>
/// <param name="GatewayCall">The call to the gateway.</param>
/// <param name="Messages">Its messages that are not with the broker yet.</param>
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
    IReadOnlyList<OutboxRow> Messages)
{
    // The gateway's name in outbound_call.
    private const string Gateway = "payment-gateway";

    /// <summary>Reads a payment; null: there is none of that id.</summary>
    /// <param name="database">Where it is.</param>
    /// <param name="paymentId">The payment.</param>
    /// <param name="now">Ages are counted from it.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<PaymentDetails?> FindAsync(
        SagasDatabase database, string paymentId, DateTimeOffset now, CancellationToken stop)
    {
        var correlationId = SagaIdentity.Payment(paymentId);
        var found = await database.QueryAsync(
            """
            SELECT p.*, EXISTS (SELECT 1 FROM customer_state c WHERE c.customer_id = p.customer_id) AS customer_is_known
            FROM payment_state p WHERE p.correlation_id = $1
            """,
            row => (Payment: Read(row), Token: row.Maybe<Guid>("redelivery_token_id")),
            stop,
            new NpgsqlParameter { Value = correlationId });
        if (found is not [var (payment, token)])
            return null;

        var calls = await CallRow.FindAsync(database, Gateway, correlationId.ToString("D"), stop);
        return payment with
        {
            Timeline = await Transition.OfSagaAsync(database, correlationId, stop),
            GatewayCall = calls.FirstOrDefault(),
            Messages = await OutboxRow.OfSagaAsync(database, correlationId, token, now, stop),
        };
    }

    private static PaymentDetails Read(Row row) => new(
        row.Get<string>("payment_id"),
        row.Get<Guid>("correlation_id"),
        row.Get<string>("customer_id"),
        row.Get<string>("current_state"),
        CommandLine.Display.WithoutZeros(row.Get<decimal>("amount")),
        row.Get<string>("currency"),
        row.Get<DateTimeOffset>("requested_at"),
        row.Get<int>("attempts"),
        row.Maybe<DateTimeOffset>("next_due_at"),
        row.Get<DateTimeOffset>("deadline_at"),
        row.Text("gateway_reference"),
        row.Text("failure_reason"),
        row.Get<DateTimeOffset>("created_at"),
        row.Get<DateTimeOffset>("updated_at"),
        row.Maybe<DateTimeOffset>("finished_at"),
        row.Get<bool>("customer_is_known"),
        [],
        null,
        []);
}
