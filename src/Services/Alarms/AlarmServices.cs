using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Contracts;

namespace Sagas.Services.Alarms;

/// <summary>Registers alarms and their digests.</summary>
public static class AlarmServices
{
    /// <summary>The queue of <see cref="AlarmStatusChanged"/>. Its messages are idempotent by themselves.</summary>
    public const string ChangesQueue = nameof(AlarmStatusChanged);

    /// <summary>The queue of <see cref="SendAlarmDigest"/>.</summary>
    public const string RequestsQueue = nameof(SendAlarmDigest);

    /// <summary>The queue of <see cref="AlarmDigest"/>, for readers that expect one of that name.</summary>
    public const string DigestsQueue = nameof(AlarmDigest);

    /// <summary>Registers what consumes changes, sends scheduled digests and removes what is old, with options from section
    /// <c>Alarms</c>. Wrong options stop the start with <see cref="OptionsValidationException"/>.</summary>
    /// <param name="services">The services; <see cref="SagasDbContext"/> and its <c>NpgsqlDataSource</c> must be among them.</param>
    /// <param name="configuration">The configuration's root.</param>
    public static IServiceCollection AddAlarmServices(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<AlarmsOptions>().Bind(configuration.GetSection(AlarmsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AlarmsOptions>, AlarmsOptionsValidation>();
        services.AddSingleton<AlarmWriter>();
        services.AddHostedService<AlarmDigestSchedule>();
        services.AddHostedService<AlarmHousekeeping>();
        return services;
    }

    /// <summary>Registers the consumers on queues <c>AlarmStatusChanged</c> and <c>SendAlarmDigest</c>.</summary>
    /// <param name="bus">The bus.</param>
    public static void AddAlarms(this IBusRegistrationConfigurator bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddConsumer<AlarmStatusChangedConsumer, AlarmStatusChangedConsumerDefinition>();
        bus.AddConsumer<SendAlarmDigestConsumer, SendAlarmDigestConsumerDefinition>();
    }

    private sealed class AlarmsOptionsValidation : IValidateOptions<AlarmsOptions>
    {
        public ValidateOptionsResult Validate(string? name, AlarmsOptions options) =>
            options.Problems().ToArray() is { Length: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
