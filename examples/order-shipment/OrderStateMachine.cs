using MassTransit;

namespace Sagas.Examples.OrderShipment;

/// <summary>The life of an order: shipping, then shipped or rejected by the carrier, whose answer is final.</summary>
public sealed class OrderStateMachine : MassTransitStateMachine<OrderState>
{
    /// <summary>Builds the machine.</summary>
    public OrderStateMachine()
    {
        InstanceState(order => order.CurrentState);
        Event(() => OrderPlaced, e => e.CorrelateById(context => IdOf(context.Message.OrderId)));
        Event(() => OrderShipped, e => Existing(e, message => message.OrderId));
        Event(() => ShipmentRejected, e => Existing(e, message => message.OrderId));

        Initially(
            When(OrderPlaced)
                .Then(Create)
                .Publish(context => new ShipOrder(context.Saga.OrderId, context.Saga.Address))
                .TransitionTo(Shipping)
        );

        During(
            Shipping,
            When(OrderShipped)
                .Then(context =>
                {
                    context.Saga.TrackingNumber = context.Message.TrackingNumber;
                    context.Saga.UpdatedAt = context.Now();
                })
                .TransitionTo(Shipped),
            When(ShipmentRejected)
                .Then(context =>
                {
                    context.Saga.RejectionReason = context.Message.Reason;
                    context.Saga.UpdatedAt = context.Now();
                })
                .TransitionTo(Rejected)
        );

        // Messages arrive more than once.
        DuringAny(Ignore(OrderPlaced));
        During(Shipped, Rejected, Ignore(OrderShipped), Ignore(ShipmentRejected));
    }

    /// <summary>The call to the carrier is enqueued.</summary>
    public State Shipping { get; private set; } = null!;

    /// <summary>The carrier accepted the shipment.</summary>
    public State Shipped { get; private set; } = null!;

    /// <summary>The carrier rejected the shipment.</summary>
    public State Rejected { get; private set; } = null!;

    /// <summary>A customer placed it.</summary>
    public Event<OrderPlaced> OrderPlaced { get; private set; } = null!;

    /// <summary>The carrier accepted the shipment.</summary>
    public Event<OrderShipped> OrderShipped { get; private set; } = null!;

    /// <summary>The carrier rejected the shipment.</summary>
    public Event<ShipmentRejected> ShipmentRejected { get; private set; } = null!;

    /// <summary>The correlation id of an order's saga, and the order's idempotency key at the carrier.</summary>
    public static Guid IdOf(string orderId) => SagaIdentity.Of("order", orderId);

    private static void Existing<T>(IEventCorrelationConfigurator<OrderState, T> configurator, Func<T, string> orderId)
        where T : class
    {
        configurator.CorrelateById(context => IdOf(orderId(context.Message)));
        configurator.OnMissingInstance(missing =>
            missing.Execute(context => throw new InvalidMessageException($"There is no order {orderId(context.Message)}."))
        );
    }

    private static void Create(BehaviorContext<OrderState, OrderPlaced> context)
    {
        var (order, message) = (context.Saga, context.Message);
        order.OrderId = message.OrderId.Trim();
        order.CustomerId = message.CustomerId.Trim();
        order.Address = message.Address.Trim();
        order.CreatedAt = order.UpdatedAt = context.Now();
    }
}

/// <summary>The order saga's queue.</summary>
public sealed class OrderStateMachineDefinition : SagaDefinition<OrderState>
{
    /// <summary>Its name.</summary>
    public const string Queue = "order-saga";

    /// <summary>Names the queue.</summary>
    public OrderStateMachineDefinition() => EndpointName = Queue;
}
