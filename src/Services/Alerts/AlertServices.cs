using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Sagas.Services.Files;
using Sagas.Services.Ledger;

namespace Sagas.Services.Alerts;

/// <summary>Registers what delivers alerts.</summary>
public static class AlertServices
{
    /// <summary>The queue of <c>SendAlert</c>.</summary>
    public const string QueueName = "send-alert";

    /// <summary>Registers the receiver as a target of the ledger, with options from section <c>Alerts</c>. Wrong options stop
    /// the start with <see cref="OptionsValidationException"/>.</summary>
    /// <param name="services">The services; <see cref="SagasDbContext"/> and Npgsql's data source must be
    /// among them.</param>
    /// <param name="configuration">The configuration's root.</param>
    public static IServiceCollection AddAlertServices(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<AlertsOptions>().Bind(configuration.GetSection(AlertsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AlertsOptions>, AlertsOptionsValidation>();
        services.AddLedgerTarget<AlertReceiver>(AlertReceiver.TargetName);
        services.TryAddSingleton<FileRegister>();
        services.TryAddSingleton<RejectedRows>();
        services.AddHostedService<AlertFolder>();
        return services;
    }

    /// <summary>Registers the consumer of <c>SendAlert</c> on queue <c>send-alert</c>.</summary>
    /// <param name="bus">The bus.</param>
    public static void AddAlerts(this IBusRegistrationConfigurator bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddConsumer<SendAlertConsumer, SendAlertConsumerDefinition>();
    }

    private sealed class AlertsOptionsValidation : IValidateOptions<AlertsOptions>
    {
        public ValidateOptionsResult Validate(string? name, AlertsOptions options) =>
            options.Problems().ToArray() is { Length: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
