using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Customers;
using Sagas.Services.Ledger;
using Sagas.Services.Modules;

namespace Sagas.Services.Crm;

/// <summary>Registers what sends customers to the CRM.</summary>
public static class CrmServices
{
    /// <summary>Binds <see cref="CustomerSyncOptions"/>, which every process needs that changes customers.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The whole configuration.</param>
    public static IServiceCollection AddCustomerSync(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<CustomerSyncOptions>().Bind(configuration.GetSection(CustomerSyncOptions.Section)).ValidateOnStart();
        return services;
    }

    internal static IServiceCollection AddCrmCalls(this IServiceCollection services, IConfiguration configuration) =>
        services.AddValidatedOptions<CrmOptions>(configuration, CrmOptions.Section).AddLedgerTarget<CrmTarget>(CrmTarget.TargetName);
}
