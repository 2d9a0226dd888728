using MassTransit.Configuration;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Middleware;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Sagas.Persistence;

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
        this IBusRegistrationConfigurator configurator,
        Action<IEntityFrameworkOutboxConfigurator>? configure = null
    )
        where TDbContext : DbContext
    {
        if (configurator.Any(service => service.ServiceType == typeof(OutboxDatabase)))
            throw new ConfigurationException("AddEntityFrameworkOutbox was called twice: a process has one outbox.");
        configurator.TryAddSingleton(TimeProvider.System);
        configurator.AddSingleton<OutboxDatabase, OutboxDatabase<TDbContext>>();
        configurator.AddSingleton<OutboxSignal>();
        configurator.AddSingleton<OutboxSender>();
        configurator.AddSingleton<OutboxDrain>();
        configurator.AddSingleton<OutboxInstance>();
        configurator.AddSingleton<OutboxPublisher>();
        configurator.AddSingleton(provider => new OutboxBatches(
            provider.GetRequiredService<IBus>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<OutboxSignal>()
        ));
        configurator.AddScoped<IOutboxContextFactory<TDbContext>, EntityFrameworkOutboxContextFactory<TDbContext>>();
        // A poll that finds nothing is one look at the front of an index. What the broker does not confirm soon is likelier lost
        // with its connection than late, and sending it again does no harm.
        configurator.Configure<OutboxDeliveryServiceOptions>(options =>
        {
            options.QueryDelay = TimeSpan.FromMilliseconds(100);
            options.QueryMessageLimit = 500;
            options.QueryTimeout = TimeSpan.FromSeconds(10);
        });
        AddBeforeBus(
            configurator,
            ServiceDescriptor.Singleton<IHostedService>(provider => provider.GetRequiredService<OutboxInstance>()),
            ServiceDescriptor.Singleton<IHostedService>(provider => provider.GetRequiredService<OutboxPublisher>()),
            ServiceDescriptor.Singleton<IHostedService, OutboxRelay>()
        );
        configurator.AddHostedService<InboxCleanupService>();
        configure?.Invoke(new EntityFrameworkOutboxConfigurator<TDbContext>(configurator));
    }

    // Started before the bus, so that the first message already has an owner, and stopped after it: until the last consumer has
    // ended there is something to send. Hosted services stop in the opposite order of their registration.
    private static void AddBeforeBus(IServiceCollection services, params ReadOnlySpan<ServiceDescriptor> hosted)
    {
        var bus = services.FirstOrDefault(service =>
            service.ServiceType == typeof(IHostedService) && service.ImplementationType == typeof(MassTransitHostedService)
        );
        var place = bus is null ? services.Count : services.IndexOf(bus);
        foreach (var service in hosted)
            services.Insert(place++, service);
    }

    /// <summary>
    /// Runs every consumer and saga of an endpoint in a transaction with its inbox row and its outgoing messages.
    /// </summary>
    /// <typeparam name="TDbContext">The context given to <see cref="AddEntityFrameworkOutbox{TDbContext}"/>.</typeparam>
    /// <param name="configurator">The endpoint.</param>
    /// <param name="context">The container's registrations.</param>
    public static void UseEntityFrameworkOutbox<TDbContext>(
        this IReceiveEndpointConfigurator configurator,
        IRegistrationContext context
    )
        where TDbContext : DbContext
    {
        var observer = new OutboxConsumePipeSpecificationObserver<TDbContext>(configurator, context);
        configurator.ConnectConsumerConfigurationObserver(observer);
        configurator.ConnectSagaConfigurationObserver(observer);
        configurator.ConnectActivityConfigurationObserver(observer);
    }
}
