using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Contracts;
using Sagas.Services.Messages;
using Sagas.Services.Modules;

namespace Sagas.Services.Alarms;

/// <summary>Alarms and their digests.</summary>
public sealed class AlarmsModule : FeatureModule
{
    /// <summary>Alarms and their digests.</summary>
    public const string AlarmsRole = "alarms";

    /// <summary>The queue of <see cref="AlarmStatusChanged"/>.</summary>
    public const string ChangesQueue = nameof(AlarmStatusChanged);

    /// <summary>The queue of <see cref="SendAlarmDigest"/>.</summary>
    public const string RequestsQueue = nameof(SendAlarmDigest);

    /// <summary>The queue of <see cref="AlarmDigest"/>, for readers that expect one of that name.</summary>
    private const string DigestsQueue = nameof(AlarmDigest);

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } = [new(AlarmsRole, "collects alarm changes and sends digests")];

    /// <inheritdoc/>
    public override IReadOnlyList<FeatureEndpoint> Endpoints { get; } =
    [new(ChangesQueue, UsesOutbox: false), new(RequestsQueue)];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } = [new(AlarmsOptions.Section, typeof(AlarmsOptions))];

    /// <inheritdoc/>
    public override IReadOnlyList<MessageRule> MessageRules => AlarmMessageRules.All;

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        if (!context.Roles.Has(AlarmsRole))
            return;
        services.AddValidatedOptions<AlarmsOptions>(context.Configuration, AlarmsOptions.Section);
        services.AddSingleton<AlarmWriter>();
        services.AddHostedService<AlarmDigestSchedule>();
        services.AddHostedService<AlarmHousekeeping>();
    }

    /// <inheritdoc/>
    public override void AddConsumers(IBusRegistrationConfigurator bus, FeatureContext context)
    {
        if (!context.Roles.Has(AlarmsRole))
            return;
        bus.AddConsumer<AlarmStatusChangedConsumer, AlarmStatusChangedConsumerDefinition>();
        bus.AddConsumer<SendAlarmDigestConsumer, SendAlarmDigestConsumerDefinition>();
    }

    /// <summary>The queue of digests is declared with the others, so that readers can come before the first digest.</summary>
    /// <param name="services">The services of all roles.</param>
    public override IReadOnlyList<FeatureQueue> Queues(IServiceProvider services) =>
        services.GetRequiredService<IOptions<AlarmsOptions>>().Value is { DigestQueue: true } options
            ?
            [
                new(
                    DigestsQueue,
                    nameof(AlarmDigest),
                    new Dictionary<string, object?>
                    {
                        ["x-queue-type"] = "quorum",
                        // A queue that has no reader must not fill the broker's disk.
                        ["x-message-ttl"] = (long)options.DigestQueueTtl.TotalMilliseconds,
                    }
                ),
            ]
            : [];
}
