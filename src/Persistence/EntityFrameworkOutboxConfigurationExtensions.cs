using System.Data;
using MassTransit.Configuration;
using MassTransit.DependencyInjection;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Middleware;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace MassTransit;

/// <summary>The transactional inbox and outbox.</summary>
public static class EntityFrameworkOutboxConfigurationExtensions
{
    /// <summary>Registers inbox, outbox, relay and scheduler on a context's database.</summary>
    /// <typeparam name="TDbContext">A registered context whose model has the outbox's entities.</typeparam>
    /// <param name="configurator">The bus registration.</param>
    /// <param name="configure">Options.</param>
    /// <exception cref="ConfigurationException">An outbox is registered already: a process has one.</exception>
    public static void AddEntityFrameworkOutbox<TDbContext>(
        this IBusRegistrationConfigurator configurator, Action<IEntityFrameworkOutboxConfigurator>? configure = null)
        where TDbContext : DbContext
    {
        if (configurator.Any(service => service.ServiceType == typeof(OutboxDatabase)))
            throw new ConfigurationException("AddEntityFrameworkOutbox was called twice: a process has one outbox.");
        configurator.TryAddSingleton(TimeProvider.System);
        configurator.AddSingleton<OutboxDatabase, OutboxDatabase<TDbContext>>();
        configurator.AddSingleton<OutboxSignal>();
        configurator.AddSingleton<OutboxSender>();
        configurator.AddSingleton<OutboxDrain>();
        configurator.AddSingleton<OutboxProcess>();
        configurator.AddSingleton<OutboxPublisher>();
        configurator.AddSingleton(provider => new OutboxBatches(
            provider.GetRequiredService<IBus>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<OutboxSignal>()));
        configurator.AddScoped<IOutboxContextFactory<TDbContext>, EntityFrameworkOutboxContextFactory<TDbContext>>();
        // A poll that finds nothing is one look at the front of an index. What the broker does not confirm soon is likelier lost with
        // its connection than late, and sending it again does no harm.
        configurator.Configure<OutboxDeliveryServiceOptions>(options =>
        {
            options.QueryDelay = TimeSpan.FromMilliseconds(100);
            options.QueryMessageLimit = 500;
            options.QueryTimeout = TimeSpan.FromSeconds(10);
        });
        AddBeforeBus(
            configurator,
            ServiceDescriptor.Singleton<IHostedService>(provider => provider.GetRequiredService<OutboxProcess>()),
            ServiceDescriptor.Singleton<IHostedService>(provider => provider.GetRequiredService<OutboxPublisher>()),
            ServiceDescriptor.Singleton<IHostedService, OutboxRelay>());
        configurator.AddHostedService<InboxCleanupService>();
        configure?.Invoke(new EntityFrameworkOutboxConfigurator<TDbContext>(configurator));
    }

    // Started before the bus, so that the first message already has an owner, and stopped after it: until the last consumer has ended
    // there is something to send. Hosted services stop in the opposite order of their registration.
    private static void AddBeforeBus(IServiceCollection services, params ReadOnlySpan<ServiceDescriptor> hosted)
    {
        var bus = services.FirstOrDefault(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType == typeof(MassTransitHostedService));
        var place = bus is null ? services.Count : services.IndexOf(bus);
        foreach (var service in hosted)
            services.Insert(place++, service);
    }

    /// <summary>Runs every consumer and saga of an endpoint in a transaction with its inbox row and its outgoing messages.</summary>
    /// <typeparam name="TDbContext">The context given to <see cref="AddEntityFrameworkOutbox{TDbContext}"/>.</typeparam>
    /// <param name="configurator">The endpoint.</param>
    /// <param name="context">The container's registrations.</param>
    public static void UseEntityFrameworkOutbox<TDbContext>(this IReceiveEndpointConfigurator configurator, IRegistrationContext context)
        where TDbContext : DbContext
    {
        var observer = new OutboxConsumePipeSpecificationObserver<TDbContext>(configurator, context);
        configurator.ConnectConsumerConfigurationObserver(observer);
        configurator.ConnectSagaConfigurationObserver(observer);
        configurator.ConnectActivityConfigurationObserver(observer);
    }
}

/// <summary>Configures inbox, outbox and relay.</summary>
public interface IEntityFrameworkOutboxConfigurator
{
    /// <summary>Isolation level of a consume; read committed unless set.</summary>
    IsolationLevel IsolationLevel { set; }

    /// <summary>How long a consumed message is remembered; 7 days unless set.</summary>
    TimeSpan DuplicateDetectionWindow { set; }

    /// <summary>How often the relay looks for messages when nothing wakes it; 100 ms unless set.</summary>
    TimeSpan QueryDelay { set; }

    /// <summary>How many transactions' messages the relay takes at a time; 500 unless set.</summary>
    int QueryMessageLimit { set; }

    /// <summary>How long the broker may take over one transaction's messages before they are sent again; 10 s unless set.</summary>
    TimeSpan QueryTimeout { set; }

    /// <summary>Postgres is the only database there is; this says so where the package's other databases would be named.</summary>
    void UsePostgres();

    /// <summary>Stores what is published or sent in a scope outside consumers with the scope's context.</summary>
    /// <param name="configure">Options of the bus outbox.</param>
    void UseBusOutbox(Action<IEntityFrameworkBusOutboxConfigurator>? configure = null);

    /// <summary>Leaves consumed messages remembered for ever.</summary>
    void DisableInboxCleanupService();
}

/// <summary>Configures the bus outbox.</summary>
public interface IEntityFrameworkBusOutboxConfigurator
{
    /// <summary>Runs no relay in this process; another must.</summary>
    void DisableDeliveryService();
}

internal sealed class EntityFrameworkOutboxConfigurator<TDbContext>(IBusRegistrationConfigurator services)
    : IEntityFrameworkOutboxConfigurator, IEntityFrameworkBusOutboxConfigurator
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

    public void UsePostgres()
    {
    }

    public void UseBusOutbox(Action<IEntityFrameworkBusOutboxConfigurator>? configure = null)
    {
        services.ReplaceScoped<IScopedBusContextProvider<IBus>, EntityFrameworkScopedBusContextProvider<IBus, TDbContext>>();
        services.AddSingleton<OutboxCommitInterceptor>();
        services.ConfigureDbContext<TDbContext>((provider, options) => options.AddInterceptors(provider.GetRequiredService<OutboxCommitInterceptor>()));
        configure?.Invoke(this);
    }

    public void DisableInboxCleanupService() => Remove<InboxCleanupService>();

    public void DisableDeliveryService() => Remove<OutboxRelay>();

    private void Remove<T>()
    {
        foreach (var service in services.Where(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType == typeof(T)).ToArray())
            services.Remove(service);
    }
}
