using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Sagas.Services.Ledger;

/// <summary>Registers targets of the ledger.</summary>
public static class LedgerServices
{
    /// <summary>Registers a target with its dispatcher. <see cref="SagasDbContext"/> and the bus with its outbox must be
    /// registered too.</summary>
    /// <typeparam name="TTarget">The target; made by the container, once.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="name">The target's name, as <see cref="LedgerTarget.Name"/> says it.</param>
    public static IServiceCollection AddLedgerTarget<TTarget>(this IServiceCollection services, string name)
        where TTarget : LedgerTarget
    {
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<LedgerStatus>();
        services.TryAddSingleton<LedgerMetrics>();
        services.AddSingleton<TTarget>();
        services.AddSingleton<LedgerSignal<TTarget>>();
        services.AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<LedgerDispatcher>(
            provider, provider.GetRequiredService<TTarget>(), provider.GetRequiredService<LedgerSignal<TTarget>>()));
        services.AddHttpClient(name)
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .UseSocketsHttpHandler((handler, provider) => Configure(handler, provider.GetRequiredService<TTarget>()))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            // A line per call with its address, at thousands a second, would drown the rest; outcomes are logged.
            .RemoveAllLoggers();
        return services;
    }

    private static void Configure(SocketsHttpHandler handler, LedgerTarget target)
    {
        var options = target.Options;
        // A redirect is not an answer to the call, and following one may make it twice.
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        // Below the call's own time limit, so that a connection that never came about is known as such.
        handler.ConnectTimeout = options.CallTimeout / 2;
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2);
        handler.MaxConnectionsPerServer = options.MaxConcurrency + 1;
        target.Configure(handler);
    }
}
