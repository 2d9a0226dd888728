using Npgsql;

namespace Sagas.Cli.Database;

/// <summary>A row of the view payments_overview.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">The customer who pays.</param>
/// <param name="State">How far it is.</param>
/// <param name="Amount">How much.</param>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="Attempts">How often the saga looked for its customer.</param>
/// <param name="NextDueAt">When the saga looks for the customer next.</param>
/// <param name="GatewayReference">The gateway's name for the charge.</param>
/// <param name="FailureReason">Why it failed or expired.</param>
/// <param name="GatewayCall">State of the call to the gateway.</param>
/// <param name="GatewayAttempts">How often the gateway was called.</param>
/// <param name="GatewayOutcome">The outcome of the last call.</param>
/// <param name="RequestedAt">When it was requested.</param>
/// <param name="CreatedAt">When the request was consumed.</param>
/// <param name="FinishedAt">When it reached a final state.</param>
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
    DateTimeOffset? FinishedAt
)
{
    /// <summary>From the request to the final state, in milliseconds; null while it is open.</summary>
    public long? TookMs => FinishedAt is { } finished ? (long)(finished - CreatedAt).TotalMilliseconds : null;

    /// <summary>The newest payments.</summary>
    public static Task<IReadOnlyList<PaymentRow>> NewestAsync(
        SagasDatabase database,
        string? state,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            "SELECT * FROM payments_overview WHERE $1::text IS NULL OR state = $1 ORDER BY created_at DESC, payment_id LIMIT $2",
            Read,
            cancellationToken,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            new() { Value = limit }
        );

    /// <summary>The payments of a customer, the newest first.</summary>
    public static Task<IReadOnlyList<PaymentRow>> OfCustomerAsync(
        SagasDatabase database,
        string customerId,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            "SELECT * FROM payments_overview WHERE customer_id = $1 ORDER BY created_at DESC, payment_id LIMIT $2",
            Read,
            cancellationToken,
            new NpgsqlParameter { Value = customerId },
            new NpgsqlParameter { Value = limit }
        );

    private static PaymentRow Read(Row row) =>
        new(
            row.Get<string>("payment_id"),
            row.Get<string>("customer_id"),
            row.Get<string>("state"),
            row.Amount("amount", "currency"),
            row.Get<string>("currency"),
            row.Get<int>("attempts"),
            row.GetNullable<DateTimeOffset>("next_due_at"),
            row.Text("gateway_reference"),
            row.Text("failure_reason"),
            row.Text("gateway_call"),
            row.GetNullable<int>("gateway_attempts"),
            row.Text("gateway_outcome"),
            row.Get<DateTimeOffset>("requested_at"),
            row.Get<DateTimeOffset>("created_at"),
            row.GetNullable<DateTimeOffset>("finished_at")
        );
}
