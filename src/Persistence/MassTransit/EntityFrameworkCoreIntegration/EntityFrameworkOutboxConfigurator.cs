using System.Data;
using MassTransit.DependencyInjection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

internal sealed class EntityFrameworkOutboxConfigurator<TDbContext>(IBusRegistrationConfigurator services)
    : IEntityFrameworkOutboxConfigurator,
        IEntityFrameworkBusOutboxConfigurator
    where TDbContext : DbContext
{
    public IsolationLevel IsolationLevel
    {
        set => services.Configure<EntityFrameworkOutboxOptions>(options => options.IsolationLevel = value);
    }

    public TimeSpan DuplicateDetectionWindow
    {
        set => services.Configure<EntityFrameworkOutboxOptions>(options => options.DuplicateDetectionWindow = value);
    }

    public int MaxGroupSize
    {
        set => services.Configure<EntityFrameworkOutboxOptions>(options => options.MaxGroupSize = value);
    }

    public TimeSpan QueryDelay
    {
        set => services.Configure<OutboxDeliveryServiceOptions>(options => options.QueryDelay = value);
    }

    public int QueryMessageLimit
    {
        set => services.Configure<OutboxDeliveryServiceOptions>(options => options.QueryMessageLimit = value);
    }

    public TimeSpan QueryTimeout
    {
        set => services.Configure<OutboxDeliveryServiceOptions>(options => options.QueryTimeout = value);
    }

    public int MessageDeliveryLimit
    {
        set => services.Configure<OutboxDeliveryServiceOptions>(options => options.MessageDeliveryLimit = value);
    }

    public TimeSpan MessageDeliveryTimeout
    {
        set => services.Configure<OutboxDeliveryServiceOptions>(options => options.MessageDeliveryTimeout = value);
    }

    public void UseBusOutbox(Action<IEntityFrameworkBusOutboxConfigurator>? configure = null)
    {
        services.ReplaceScoped<IScopedBusContextProvider<IBus>, EntityFrameworkScopedBusContextProvider<IBus, TDbContext>>();
        services.AddSingleton<OutboxCommitInterceptor>();
        services.ConfigureDbContext<TDbContext>(
            (provider, options) => options.AddInterceptors(provider.GetRequiredService<OutboxCommitInterceptor>())
        );
        configure?.Invoke(this);
    }

    public void DisableInboxCleanupService() => Remove<InboxCleanupService>();

    public void DisableDeliveryService() => Remove<OutboxRelay>();

    private void Remove<T>()
    {
        foreach (
            var service in services
                .Where(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType == typeof(T))
                .ToArray()
        )
            services.Remove(service);
    }
}
