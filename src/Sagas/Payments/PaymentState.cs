using MassTransit;

namespace Sagas.Payments;

/// <summary>How far a payment has come: the row of <c>payment_state</c>.</summary>
public sealed class PaymentState : SagaStateMachineInstance
{
    /// <inheritdoc />
    public Guid CorrelationId { get; set; }

    /// <summary>The payment's id, as the producers send it.</summary>
    public string PaymentId { get; set; } = "";

    /// <summary>The customer who pays.</summary>
    public string CustomerId { get; set; } = "";

    /// <summary>Name of the state of <see cref="PaymentStateMachine"/>.</summary>
    public string CurrentState { get; set; } = "";

    /// <summary>How much, in units of <see cref="Currency"/>.</summary>
    public decimal Amount { get; set; }

    /// <summary>ISO 4217 code.</summary>
    public string Currency { get; set; } = "";

    /// <summary>When the payment was requested, UTC.</summary>
    public DateTimeOffset RequestedAt { get; set; }

    /// <summary>How often the customer was looked up and not found.</summary>
    public int Attempts { get; set; }

    /// <summary>When the customer is looked for next, UTC; null when nothing is scheduled.</summary>
    public DateTimeOffset? NextDueAt { get; set; }

    /// <summary>When the wait for the customer ends, UTC.</summary>
    public DateTimeOffset DeadlineAt { get; set; }

    /// <summary>The scheduled message that wakes the payment.</summary>
    public Guid? RedeliveryTokenId { get; set; }

    /// <summary>The gateway's name for the charge.</summary>
    public string? GatewayReference { get; set; }

    /// <summary>Why the payment failed or expired.</summary>
    public string? FailureReason { get; set; }

    /// <summary>When the row was created, UTC.</summary>
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the row changed last, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>When the payment reached a final state, UTC.</summary>
    public DateTimeOffset? FinishedAt { get; set; }
}
