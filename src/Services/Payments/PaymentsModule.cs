using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Configuration;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Payments;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.Operations;
using Sagas.Services.Payments.Pages;
using RedeliveryOptions = Sagas.Payments.RedeliveryOptions;

namespace Sagas.Services.Payments;

/// <summary>Payments: the payment saga and the calls to the payment gateway.</summary>
public sealed class PaymentsModule : FeatureModule
{
    /// <summary>The state machines.</summary>
    public const string SagasRole = "sagas";

    /// <summary>Calls to the payment gateway.</summary>
    public const string GatewayRole = "payments";

    internal const string ProcessPaymentQueue = "process-payment";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } =
    [new(SagasRole, "runs the state machines of payments and customers"), new(GatewayRole, "calls the payment gateway")];

    /// <inheritdoc/>
    public override IReadOnlyList<FeatureEndpoint> Endpoints { get; } =
    [new(PaymentStateMachineDefinition.Queue), new(ProcessPaymentQueue)];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } =
    [new(PaymentsOptions.Section, typeof(PaymentsOptions)), new(RedeliveryOptions.Section, typeof(RedeliveryOptions))];

    /// <inheritdoc/>
    public override IReadOnlyList<MessageRule> MessageRules => PaymentMessageRules.All;

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        services.AddValidatedOptions<RedeliveryOptions>(context.Configuration, RedeliveryOptions.Section);
        if (context.Roles.Has(OperationsModule.OperationsRole))
        {
            services.AddSingleton<PaymentReader>();
            services.AddSingleton<PaymentDiagram>();
            services.AddSingleton(new NavigationEntry("Payments", "/payments", 20));
        }

        if (!context.Roles.Has(GatewayRole))
            return;
        services.AddValidatedOptions<PaymentsOptions>(context.Configuration, PaymentsOptions.Section);
        services.AddCallTarget<PaymentGateway, SagasDbContext>(PaymentGateway.TargetName);
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app, RoleSet roles)
    {
        ArgumentNullException.ThrowIfNull(roles);
        if (roles.Has(OperationsModule.OperationsRole))
            PaymentRoutes.Map(app);
    }

    /// <inheritdoc/>
    public override void AddConsumers(IBusRegistrationConfigurator bus, FeatureContext context)
    {
        if (context.Roles.Has(SagasRole))
            bus.AddPaymentSaga();
        if (context.Roles.Has(GatewayRole))
            bus.AddConsumer<ProcessPaymentConsumer, ProcessPaymentConsumerDefinition>();
    }
}
