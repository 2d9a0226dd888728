using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Sagas.OutboundCalls;

/// <summary>Registers third parties.</summary>
public static class OutboundCallRegistration
{
    /// <summary>Registers a target with its dispatcher. The context and the bus with its outbox must be registered too.</summary>
    /// <typeparam name="TTarget">The target; created by the container, once.</typeparam>
    /// <typeparam name="TDbContext">The context of the database that has <c>outbound_call</c> and the outbox.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="name">The target's name, as <see cref="CallTarget.Name"/> says it.</param>
    public static IServiceCollection AddCallTarget<TTarget, TDbContext>(this IServiceCollection services, string name)
        where TTarget : CallTarget
        where TDbContext : DbContext
    {
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddScoped<DbContext>(provider => provider.GetRequiredService<TDbContext>());
        services.TryAddSingleton<OutboundCallStatus>();
        services.TryAddSingleton<CallMetrics>();
        services.AddSingleton<TTarget>();
        services.AddSingleton<CallSignal<TTarget>>();
        services.AddSingleton<IHostedService>(provider =>
            ActivatorUtilities.CreateInstance<CallDispatcher>(
                provider,
                provider.GetRequiredService<TTarget>(),
                provider.GetRequiredService<CallSignal<TTarget>>()
            )
        );
        services
            .AddHttpClient(name)
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .UseSocketsHttpHandler((handler, provider) => Configure(handler, provider.GetRequiredService<TTarget>()))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            // Outcomes are logged; a line per request, at thousands a second, would drown the rest.
            .RemoveAllLoggers();
        return services;
    }

    private static void Configure(SocketsHttpHandler handler, CallTarget target)
    {
        var options = target.Options;
        // A redirect is not a response to the call, and following one may make it twice.
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        // Below the call's own timeout, so that a failure to connect is known as such.
        handler.ConnectTimeout = options.CallTimeout / 2;
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2);
        handler.MaxConnectionsPerServer = options.MaxConcurrency + 1;
        target.Configure(handler);
    }
}
