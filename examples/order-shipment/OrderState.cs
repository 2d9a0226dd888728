using MassTransit;

namespace Sagas.Examples.OrderShipment;

/// <summary>How far an order has come: the row of <c>order_state</c>.</summary>
public sealed class OrderState : SagaStateMachineInstance
{
    /// <inheritdoc />
    public Guid CorrelationId { get; set; }

    /// <summary>The order's id, as the producers send it.</summary>
    public string OrderId { get; set; } = "";

    /// <summary>The customer who placed it.</summary>
    public string CustomerId { get; set; } = "";

    /// <summary>Where it is shipped to.</summary>
    public string Address { get; set; } = "";

    /// <summary>Name of the state of <see cref="OrderStateMachine"/>.</summary>
    public string CurrentState { get; set; } = "";

    /// <summary>The carrier's name for the shipment.</summary>
    public string? TrackingNumber { get; set; }

    /// <summary>Why the carrier rejected it.</summary>
    public string? RejectionReason { get; set; }

    /// <summary>When the row was created, UTC.</summary>
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the row changed last, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}
