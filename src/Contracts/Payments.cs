namespace Sagas.Contracts;

/// <summary>A payment of a customer is requested. It may arrive before its customer does.</summary>
/// <param name="PaymentId">The payment's identifier, 1 to 128 characters without control characters.</param>
/// <param name="CustomerId">The customer who pays.</param>
/// <param name="Amount">How much, in units of <paramref name="Currency"/>; more than zero.</param>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="RequestedAt">When it was requested. Absent: the time at which the message was received.</param>
public sealed record PaymentRequested(
    string PaymentId,
    string CustomerId,
    decimal Amount,
    string Currency,
    DateTimeOffset? RequestedAt = null
);

/// <summary>A waiting payment is due to look for its customer again.</summary>
/// <param name="PaymentId">The payment that waits.</param>
public sealed record PaymentRedeliveryDue(string PaymentId);

/// <summary>An operator gives an expired payment another waiting period.</summary>
/// <param name="PaymentId">The payment to revive.</param>
/// <param name="RequestedBy">Who asked for it.</param>
public sealed record RevivePayment(string PaymentId, string? RequestedBy = null);

/// <summary>Charge a payment at the gateway, once.</summary>
/// <param name="PaymentId">The payment; its idempotency key at the gateway derives from it.</param>
/// <param name="CustomerId">The customer who pays.</param>
/// <param name="Amount">How much.</param>
/// <param name="Currency">ISO 4217 code.</param>
public sealed record ProcessPayment(string PaymentId, string CustomerId, decimal Amount, string Currency);

/// <summary>The gateway charged a payment.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">The customer who paid.</param>
/// <param name="GatewayReference">The gateway's own name for the charge.</param>
/// <param name="ProcessedAt">When the gateway answered.</param>
public sealed record PaymentProcessed(string PaymentId, string CustomerId, string GatewayReference, DateTimeOffset ProcessedAt);

/// <summary>The gateway declined a payment for good.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">The customer who should have paid.</param>
/// <param name="Reason">What the gateway said.</param>
/// <param name="DeclinedAt">When the gateway answered.</param>
public sealed record PaymentDeclined(string PaymentId, string CustomerId, string Reason, DateTimeOffset DeclinedAt);

/// <summary>A payment is done; published once.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">The customer who paid.</param>
/// <param name="Amount">How much.</param>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="GatewayReference">The gateway's own name for the charge.</param>
/// <param name="CompletedAt">When it was done.</param>
public sealed record PaymentCompleted(
    string PaymentId,
    string CustomerId,
    decimal Amount,
    string Currency,
    string GatewayReference,
    DateTimeOffset CompletedAt
);

/// <summary>A payment failed for good; published once.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">The customer who should have paid.</param>
/// <param name="Reason">Why.</param>
/// <param name="FailedAt">When.</param>
public sealed record PaymentFailed(string PaymentId, string CustomerId, string Reason, DateTimeOffset FailedAt);

/// <summary>A payment's customer did not appear before the deadline.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">The customer who never appeared.</param>
/// <param name="Attempts">How many times the customer was looked for.</param>
/// <param name="ExpiredAt">When.</param>
public sealed record PaymentExpired(string PaymentId, string CustomerId, int Attempts, DateTimeOffset ExpiredAt);
