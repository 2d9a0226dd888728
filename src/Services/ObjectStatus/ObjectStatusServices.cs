using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Services.ObjectStatus.Callback;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.Services.ObjectStatus;

/// <summary>Registers the callback and the fetching of statuses.</summary>
public static class ObjectStatusServices
{
    /// <summary>The queue of <c>ObjectStatusRequested</c>.</summary>
    public const string Queue = "object-status";

    /// <summary>The queue of <c>ObjectStatusesRequested</c>.</summary>
    public const string ListsQueue = "object-status-lists";

    /// <summary>Registers what both halves need and both halves' own, with options from section <c>ObjectStatus</c>. Wrong options stop
    /// the start with <see cref="OptionsValidationException"/>.</summary>
    /// <param name="services">The services; the database's and the bus with its outbox must be among them.</param>
    /// <param name="configuration">The configuration's root.</param>
    /// <param name="sweeps">Whether this process removes what has expired.</param>
    public static IServiceCollection AddObjectStatusServices(this IServiceCollection services, IConfiguration configuration, bool sweeps)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddMetrics();
        services.AddOptions<ObjectStatusOptions>().Bind(configuration.GetSection(ObjectStatusOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ObjectStatusOptions>, ObjectStatusOptionsValidation>();
        services.AddSingleton<ObjectStatusMetrics>();
        services.AddSingleton<CallbackIntake>();
        services.AddSingleton<StatusApi>();
        services.AddSingleton<StatusApiGate>();
        services.AddSingleton<LastSeenWriter>();
        services.AddSingleton<ObjectStatusFetcher>();
        services.AddHttpClient(StatusApi.Client)
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .UseSocketsHttpHandler((handler, provider) => Configure(handler, provider.GetRequiredService<IOptions<ObjectStatusOptions>>().Value))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers();
        if (sweeps)
            services.AddHostedService<ObjectSweep>();
        return services;
    }

    /// <summary>Registers the consumers of <c>ObjectStatusesRequested</c> and <c>ObjectStatusRequested</c>.</summary>
    /// <param name="bus">The bus.</param>
    public static void AddObjectStatus(this IBusRegistrationConfigurator bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddConsumer<ObjectStatusListConsumer, ObjectStatusListConsumerDefinition>();
        bus.AddConsumer<ObjectStatusConsumer, ObjectStatusConsumerDefinition>();
    }

    private static void Configure(SocketsHttpHandler handler, ObjectStatusOptions options)
    {
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.ConnectTimeout = options.AttemptTimeout / 2;
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.MaxConnectionsPerServer = options.InFlight;
    }

    private sealed class ObjectStatusOptionsValidation : IValidateOptions<ObjectStatusOptions>
    {
        public ValidateOptionsResult Validate(string? name, ObjectStatusOptions options) =>
            options.Problems().ToArray() is { Length: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
