using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Configuration;
using Sagas.Database;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.OutboundCalls;
using Sagas.Services.Http;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.Operations;

namespace Sagas.Services.Alerts;

/// <summary>Alerts to a webhook, and the files that they come from.</summary>
public sealed class AlertsModule : FeatureModule
{
    /// <summary>Alerts to a webhook.</summary>
    public const string AlertsRole = "alerts";

    /// <summary>The queue of <c>SendAlert</c>.</summary>
    public const string SendAlertQueue = "send-alert";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } =
    [new(AlertsRole, "reads files of alerts and sends alerts to the webhook")];

    /// <inheritdoc/>
    public override IReadOnlyList<FeatureEndpoint> Endpoints { get; } = [new(SendAlertQueue)];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } = [new(AlertsOptions.Section, typeof(AlertsOptions))];

    /// <inheritdoc/>
    public override IReadOnlyList<MessageRule> MessageRules => AlertMessageRules.All;

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        if (!context.Roles.Has(AlertsRole))
            return;
        services.AddValidatedOptions<AlertsOptions>(context.Configuration, AlertsOptions.Section);
        services.AddCallTarget<AlertReceiver, SagasDbContext>(AlertReceiver.TargetName);
        services.AddHostedService<DevelopmentSecretWarning>();
        services.AddSingleton(provider => new AlertIngest(
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<FileStore>(),
            provider.GetRequiredService<IOptions<AlertsOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<CallSignal<AlertReceiver>>().Raise
        ));
        services.AddFileIntake<AlertIngest>(AlertIngest.FileKind);
    }

    /// <inheritdoc/>
    public override void AddConsumers(IBusRegistrationConfigurator bus, FeatureContext context)
    {
        if (context.Roles.Has(AlertsRole))
            bus.AddConsumer<SendAlertConsumer, SendAlertConsumerDefinition>();
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app, RoleSet roles)
    {
        ArgumentNullException.ThrowIfNull(roles);
        if (!roles.Has(AlertsRole))
            return;
        app.MapFiles(AlertIngest.FileKind).RequireOperatorKey().AcceptsQuery("name");
        app.MapAlerts();
    }
}
