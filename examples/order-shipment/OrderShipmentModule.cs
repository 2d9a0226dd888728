using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Sagas.Configuration;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Messages;
using Sagas.Services.Modules;

namespace Sagas.Examples.OrderShipment;

/// <summary>Orders: the order saga and the calls to the carrier.</summary>
public sealed class OrderShipmentModule : FeatureModule
{
    /// <summary>The order saga and the calls to the carrier.</summary>
    public const string OrdersRole = "orders";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } = [new(OrdersRole, "runs the order saga and calls the carrier")];

    /// <inheritdoc/>
    public override IReadOnlyList<FeatureEndpoint> Endpoints { get; } =
    [new(OrderStateMachineDefinition.Queue), new(ShipOrderConsumerDefinition.Queue)];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } = [new(CarrierOptions.Section, typeof(CarrierOptions))];

    /// <inheritdoc/>
    public override IReadOnlyList<Type> Messages { get; } =
    [typeof(OrderPlaced), typeof(ShipOrder), typeof(OrderShipped), typeof(ShipmentRejected)];

    /// <inheritdoc/>
    public override IReadOnlyList<ISagaClassMap> SagaMaps { get; } = [new OrderStateMap()];

    /// <inheritdoc/>
    public override IReadOnlyList<MessageRule> MessageRules { get; } =
    [
        MessageRule.For<OrderPlaced>(
            (message, check) =>
            {
                check.Identifier(message, message.OrderId);
                check.Identifier(message, message.CustomerId);
                check.RequiredText(message, message.Address);
            }
        ),
    ];

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        if (!context.Roles.Has(OrdersRole))
            return;
        services.AddValidatedOptions<CarrierOptions>(context.Configuration, CarrierOptions.Section);
        services.AddCallTarget<Carrier, SagasDbContext>(Carrier.TargetName);
    }

    /// <inheritdoc/>
    public override void AddConsumers(IBusRegistrationConfigurator bus, FeatureContext context)
    {
        if (!context.Roles.Has(OrdersRole))
            return;
        bus.AddPostgresSaga<OrderStateMachine, OrderState, OrderStateMachineDefinition>();
        bus.AddConsumer<ShipOrderConsumer, ShipOrderConsumerDefinition>();
    }
}
