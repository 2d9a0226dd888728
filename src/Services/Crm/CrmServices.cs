using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Customers;
using Sagas.Services.Ledger;

namespace Sagas.Services.Crm;

/// <summary>Registers what tells the CRM of customers.</summary>
public static class CrmServices
{
    /// <summary>The queue of customers to tell the CRM of.</summary>
    public const string QueueName = "sync-customer";

    /// <summary>Whether there is a CRM: <c>Crm:Enabled</c>.</summary>
    /// <param name="configuration">The configuration's root.</param>
    public static bool HasCrm(this IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        // A value that is neither is refused where the options are validated.
        return !bool.TryParse(configuration[$"{CustomerSyncOptions.Section}:{nameof(CustomerSyncOptions.Enabled)}"], out var enabled) || enabled;
    }

    /// <summary>Binds <see cref="CustomerSyncOptions"/>, which every process needs that changes customers.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The configuration's root.</param>
    public static IServiceCollection AddCustomerSync(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<CustomerSyncOptions>().Bind(configuration.GetSection(CustomerSyncOptions.Section)).ValidateOnStart();
        return services;
    }

    /// <summary>Registers the CRM as a target of the ledger, with options from section <c>Crm</c>. Wrong options stop the
    /// start with <see cref="OptionsValidationException"/>.</summary>
    /// <param name="services">The services; <see cref="SagasDbContext"/> must be among them.</param>
    /// <param name="configuration">The configuration's root.</param>
    public static IServiceCollection AddCrmServices(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<CrmOptions>().Bind(configuration.GetSection(CrmOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CrmOptions>, CrmOptionsValidation>();
        return services.AddLedgerTarget<CrmTarget>(CrmTarget.TargetName);
    }

    /// <summary>Registers the consumer of <c>SyncCustomer</c> and <c>SyncCustomers</c> on queue <see cref="QueueName"/>.</summary>
    /// <param name="bus">The bus.</param>
    public static void AddCrm(this IBusRegistrationConfigurator bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddConsumer<SyncCustomerConsumer, SyncCustomerConsumerDefinition>();
    }

    private sealed class CrmOptionsValidation : IValidateOptions<CrmOptions>
    {
        public ValidateOptionsResult Validate(string? name, CrmOptions options) =>
            options.Problems().ToArray() is { Length: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
