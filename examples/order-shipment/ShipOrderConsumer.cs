using MassTransit;
using Sagas.Database;
using Sagas.OutboundCalls;

namespace Sagas.Examples.OrderShipment;

/// <summary>Enqueues the call to the carrier in the consumer's transaction; it is made after the commit.</summary>
public sealed class ShipOrderConsumer(SagasDbContext database, Carrier carrier) : IConsumer<ShipOrder>
{
    /// <inheritdoc />
    public Task Consume(ConsumeContext<ShipOrder> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var order = OrderStateMachine.IdOf(context.Message.OrderId);
        return CallQueue.EnqueueAsync(
            database,
            carrier,
            idempotencyKey: order.ToString("D"),
            context.Message,
            context.ConversationId,
            correlationId: order,
            context.CancellationToken
        );
    }
}

/// <summary>The queue of <see cref="ShipOrderConsumer"/>.</summary>
public sealed class ShipOrderConsumerDefinition : ConsumerDefinition<ShipOrderConsumer>
{
    /// <summary>Its name.</summary>
    public const string Queue = "ship-order";

    private readonly CallSignal<Carrier> _signal;

    /// <summary>Names the queue.</summary>
    /// <param name="signal">Wakes the carrier's dispatcher.</param>
    public ShipOrderConsumerDefinition(CallSignal<Carrier> signal)
    {
        _signal = signal;
        EndpointName = Queue;
    }

    /// <inheritdoc />
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<ShipOrderConsumer> consumerConfigurator,
        IRegistrationContext context
    ) => endpointConfigurator.ConfigureReceive(pipe => pipe.UseFilter(new CallSignalFilter(_signal)));
}
