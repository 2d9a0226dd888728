using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.ObjectStatus.Callback;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.Services.ObjectStatus;

/// <summary>Object status: the callback that accepts ids, and the fetching of their status.</summary>
public sealed class ObjectStatusModule : FeatureModule
{
    /// <summary><c>POST /callback</c>.</summary>
    public const string CallbackRole = "callback";

    /// <summary>Fetches the status of objects, and removes those not seen for long.</summary>
    public const string StatusRole = "status";

    internal const string ObjectQueue = "object-status";
    internal const string ListQueue = "object-status-lists";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } =
    [new(CallbackRole, "receives the ids of objects at POST /callback"), new(StatusRole, "fetches the status of objects")];

    /// <inheritdoc/>
    public override IReadOnlyList<FeatureEndpoint> Endpoints { get; } =
    [new(ListQueue, UsesOutbox: false), new(ObjectQueue, UsesOutbox: false)];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } =
    [new(ObjectStatusOptions.Section, typeof(ObjectStatusOptions))];

    /// <inheritdoc/>
    public override IReadOnlyList<MessageRule> MessageRules => ObjectStatusMessageRules.All;

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        if (!context.Roles.Has(CallbackRole) && !context.Roles.Has(StatusRole))
            return;
        services.AddMetrics();
        services.AddValidatedOptions<ObjectStatusOptions>(context.Configuration, ObjectStatusOptions.Section);
        services.AddSingleton<ObjectStatusMetrics>();
        services.AddSingleton<CallbackIntake>();
        services.AddSingleton<StatusApi>();
        services.AddSingleton<StatusApiGate>();
        services.AddSingleton<LastSeenWriter>();
        services.AddSingleton<ObjectStatusFetcher>();
        services
            .AddHttpClient(StatusApi.Client)
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .UseSocketsHttpHandler(
                (handler, provider) => Configure(handler, provider.GetRequiredService<IOptions<ObjectStatusOptions>>().Value)
            )
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers();
        if (context.Roles.Has(StatusRole))
            services.AddHostedService<ObjectSweep>();
    }

    /// <inheritdoc/>
    public override void AddConsumers(IBusRegistrationConfigurator bus, FeatureContext context)
    {
        if (!context.Roles.Has(StatusRole))
            return;
        bus.AddConsumer<ObjectStatusListConsumer, ObjectStatusListConsumerDefinition>();
        bus.AddConsumer<ObjectStatusConsumer, ObjectStatusConsumerDefinition>();
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app, RoleSet roles)
    {
        ArgumentNullException.ThrowIfNull(roles);
        // The host adds the callback's port as the last address.
        if (roles.Has(CallbackRole))
            app.MapCallback(() => BindingAddress.Parse(app.Urls.Last()).Port);
    }

    private static void Configure(SocketsHttpHandler handler, ObjectStatusOptions options)
    {
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.ConnectTimeout = options.AttemptTimeout / 2;
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.MaxConnectionsPerServer = options.MaxConcurrency;
    }
}
