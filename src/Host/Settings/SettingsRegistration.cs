using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Services;
using Sagas.Services.Messages;

namespace Sagas.Host.Settings;

/// <summary>Registers the host's options; each feature's module registers its own.</summary>
internal static class SettingsRegistration
{
    public static IServiceCollection AddSettings(
        this IServiceCollection services,
        IConfiguration configuration,
        Features features
    ) =>
        services
            .AddSingleton<IValidateOptions<ProcessOptions>>(new RoleValidation(features))
            .AddValidatedOptions<ProcessOptions>(configuration, ProcessOptions.Section)
            .AddValidatedOptions<DatabaseOptions>(configuration, DatabaseOptions.Section)
            .AddValidatedOptions<LoggingOptions>(configuration, LoggingOptions.Section)
            .AddValidatedOptions<BusOptions>(configuration, BusOptions.Section)
            .AddValidatedOptions<RabbitMqOptions>(configuration, RabbitMqOptions.Section)
            .AddValidatedOptions<MessagesOptions>(configuration, MessagesOptions.Section);
}
