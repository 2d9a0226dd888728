using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Configuration;
using Sagas.Customers;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Crm.Pages;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.Operations;
using Sagas.Services.Payments;

namespace Sagas.Services.Crm;

/// <summary>Customers: the customer saga and the calls to the CRM.</summary>
public sealed class CrmModule : FeatureModule
{
    /// <summary>Calls to the CRM.</summary>
    public const string CrmRole = "crm";

    internal const string SyncCustomerQueue = "sync-customer";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } = [new(CrmRole, "sends customers to the CRM")];

    /// <inheritdoc/>
    public override IReadOnlyList<FeatureEndpoint> Endpoints { get; } =
    [new(CustomerStateMachineDefinition.Queue), new(SyncCustomerQueue, UsesOutbox: false)];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } =
    [new(CrmOptions.Section, typeof(CustomerSyncOptions), typeof(CrmOptions))];

    /// <inheritdoc/>
    public override IReadOnlyList<MessageRule> MessageRules => CustomerMessageRules.All;

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        // Every process that changes customers needs to know whether there is a CRM.
        services.AddValidatedOptions<CustomerSyncOptions>(context.Configuration, CustomerSyncOptions.Section);
        if (context.Roles.Has(OperationsModule.OperationsRole))
        {
            services.AddSingleton<CustomerReader>();
            services.AddSingleton(new NavigationEntry("Customers", "/customers", 30));
        }

        if (!HasCrm(context))
            return;
        services.AddValidatedOptions<CrmOptions>(context.Configuration, CrmOptions.Section);
        services.AddCallTarget<CrmTarget, SagasDbContext>(CrmTarget.TargetName);
    }

    /// <inheritdoc/>
    public override void AddConsumers(IBusRegistrationConfigurator bus, FeatureContext context)
    {
        if (context.Roles.Has(PaymentsModule.SagasRole))
            bus.AddCustomerSaga();
        if (HasCrm(context))
            bus.AddConsumer<SyncCustomerConsumer, SyncCustomerConsumerDefinition>();
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app, RoleSet roles)
    {
        ArgumentNullException.ThrowIfNull(roles);
        if (roles.Has(OperationsModule.OperationsRole))
        {
            app.MapCrmOperations();
            CustomerRoutes.Map(app);
        }
    }

    private static bool HasCrm(FeatureContext context) =>
        context.Roles.Has(CrmRole) && context.Configuration.ReadOptions<CustomerSyncOptions>(CustomerSyncOptions.Section).Enabled;
}
