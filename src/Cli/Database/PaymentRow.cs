using Npgsql;

namespace Sagas.Cli.Database;

/// <summary>A row of the view payments_overview.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">Who pays.</param>
/// <param name="State">How far it is.</param>
/// <param name="Amount">How much.</param>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="Attempts">How often its customer was looked for in vain.</param>
/// <param name="NextDueAt">When the customer is looked for next.</param>
/// <param name="GatewayReference">The gateway's name for the charge.</param>
/// <param name="FailureReason">Why it failed or expired.</param>
/// <param name="GatewayCall">State of the call to the gateway.</param>
/// <param name="GatewayAttempts">How often the gateway was called.</param>
/// <param name="GatewayOutcome">What came of the last call.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="CreatedAt">When it became known here.</param>
/// <param name="FinishedAt">When it was done.</param>
internal sealed record PaymentRow(
    string PaymentId,
    string CustomerId,
    string State,
    decimal Amount,
    string Currency,
    int Attempts,
    DateTimeOffset? NextDueAt,
    string? GatewayReference,
    string? FailureReason,
    string? GatewayCall,
    int? GatewayAttempts,
    string? GatewayOutcome,
    DateTimeOffset RequestedAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt)
{
    /// <summary>From the first row to the final state, in milliseconds; null while it is under way.</summary>
    public long? TookMs => FinishedAt is { } finished ? (long)(finished - CreatedAt).TotalMilliseconds : null;

    /// <summary>The newest payments.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="state">Only those in this state; null: all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<PaymentRow>> NewestAsync(
        SagasDatabase database, string? state, int limit, CancellationToken stop) =>
        database.QueryAsync(
            "SELECT * FROM payments_overview WHERE $1::text IS NULL OR state = $1 ORDER BY created_at DESC, payment_id LIMIT $2",
            Read,
            stop,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            new() { Value = limit });

    /// <summary>The payments of a customer, the newest first.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="customerId">Who pays.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<PaymentRow>> OfCustomerAsync(
        SagasDatabase database, string customerId, int limit, CancellationToken stop) =>
        database.QueryAsync(
            "SELECT * FROM payments_overview WHERE customer_id = $1 ORDER BY created_at DESC, payment_id LIMIT $2",
            Read,
            stop,
            new NpgsqlParameter { Value = customerId },
            new NpgsqlParameter { Value = limit });

    private static PaymentRow Read(Row row) => new(
        row.Get<string>("payment_id"),
        row.Get<string>("customer_id"),
        row.Get<string>("state"),
        CommandLine.Display.WithoutZeros(row.Get<decimal>("amount")),
        row.Get<string>("currency"),
        row.Get<int>("attempts"),
        row.Maybe<DateTimeOffset>("next_due_at"),
        row.Text("gateway_reference"),
        row.Text("failure_reason"),
        row.Text("gateway_call"),
        row.Maybe<int>("gateway_attempts"),
        row.Text("gateway_outcome"),
        row.Get<DateTimeOffset>("requested_at"),
        row.Get<DateTimeOffset>("created_at"),
        row.Maybe<DateTimeOffset>("finished_at"));
}
