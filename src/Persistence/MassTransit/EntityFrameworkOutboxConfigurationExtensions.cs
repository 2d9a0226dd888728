using MassTransit.Configuration;
using MassTransit.DependencyInjection;
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
    /// <exception cref="ConfigurationException">
    /// An outbox is registered already, or the bus is not the default one: a process has one outbox, for one bus.
    /// </exception>
    public static void AddEntityFrameworkOutbox<TDbContext>(
        this IBusRegistrationConfigurator configurator,
        Action<IEntityFrameworkOutboxConfigurator>? configure = null
    )
        where TDbContext : DbContext
    {
        if (ServesAnotherBus(configurator))
        {
            throw new ConfigurationException(
                "AddEntityFrameworkOutbox serves the bus of AddMassTransit(...), not one of AddMassTransit<TBus>(...)."
            );
        }

        if (configurator.Any(service => service.ServiceType == typeof(OutboxDatabase)))
            throw new ConfigurationException("AddEntityFrameworkOutbox was called twice: a process has one outbox.");
        configurator.TryAddSingleton(TimeProvider.System);
        configurator.AddSingleton<OutboxDatabase, OutboxDatabase<TDbContext>>();
        configurator.AddSingleton<OutboxSignal>();
        configurator.AddSingleton<OutboxSender>();
        configurator.AddSingleton<OutboxDrain>();
        configurator.AddSingleton<OutboxInstance>();
        configurator.AddSingleton<OutboxPublisher>();
        configurator.AddSingleton<ConsumeGroups>();
        configurator.AddSingleton<GroupedContexts<TDbContext>>();
        configurator.AddSingleton<GroupInterceptor>();
        configurator.ConfigureDbContext<TDbContext>(
            (provider, options) => options.AddInterceptors(provider.GetRequiredService<GroupInterceptor>())
        );
        configurator.AddPublicServices();
        configurator.AddScoped<IOutboxContextFactory<TDbContext>, EntityFrameworkOutboxContextFactory<TDbContext>>();
        // A poll that finds nothing is one look at the front of an index. What the broker does not confirm soon is likelier lost
        // with its connection than late, and sending it again does no harm.
        configurator.Configure<OutboxDeliveryServiceOptions>(options =>
        {
            options.QueryDelay = TimeSpan.FromMilliseconds(100);
            options.QueryMessageLimit = 500;
            options.QueryTimeout = TimeSpan.FromSeconds(30);
            options.MessageDeliveryLimit = 500;
            options.MessageDeliveryTimeout = TimeSpan.FromSeconds(10);
        });
        // Before the bus, so that the first message already has an owner; after it until the last consumer has ended.
        configurator.AddBeforeBus(
            ServiceDescriptor.Singleton<IHostedService>(provider => provider.GetRequiredService<OutboxInstance>()),
            ServiceDescriptor.Singleton<IHostedService>(provider => provider.GetRequiredService<OutboxPublisher>()),
            ServiceDescriptor.Singleton<IHostedService, OutboxRelay>()
        );
        configurator.AddHostedService<InboxCleanupService>();
        configure?.Invoke(new EntityFrameworkOutboxConfigurator<TDbContext>(configurator));
    }

    // Their constructors are not public.
    private static void AddPublicServices(this IServiceCollection services)
    {
        services.AddSingleton(provider => new OutboxBatches(
            provider.GetRequiredService<IBus>(),
            provider.GetRequiredService<OutboxDatabase>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<OutboxSignal>()
        ));
        services.AddSingleton(provider => new OutboxCommit(
            provider.GetRequiredService<OutboxInstance>(),
            provider.GetRequiredService<OutboxPublisher>(),
            provider.GetRequiredService<OutboxSignal>()
        ));
    }

    private static bool ServesAnotherBus(IBusRegistrationConfigurator configurator) =>
        configurator
            .GetType()
            .GetInterfaces()
            .Any(type =>
                type.IsGenericType
                && type.GetGenericTypeDefinition() == typeof(IBusRegistrationConfigurator<>)
                && type.GenericTypeArguments[0] != typeof(IBus)
            );

    /// <summary>Names the only database there is, as in the package that has others.</summary>
    /// <param name="configurator">The outbox.</param>
    public static IEntityFrameworkOutboxConfigurator UsePostgres(this IEntityFrameworkOutboxConfigurator configurator) =>
        configurator;

    /// <summary>
    /// Runs every consumer and saga of an endpoint in a transaction with its inbox row and its outgoing messages.
    /// </summary>
    /// <typeparam name="TDbContext">The context given to <see cref="AddEntityFrameworkOutbox{TDbContext}"/>.</typeparam>
    /// <param name="configurator">The endpoint.</param>
    /// <param name="context">The container's registrations.</param>
    /// <param name="configure">Options.</param>
    /// <exception cref="ConfigurationException">A saga of the endpoint is in another context.</exception>
    public static void UseEntityFrameworkOutbox<TDbContext>(
        this IReceiveEndpointConfigurator configurator,
        IRegistrationContext context,
        Action<IOutboxOptionsConfigurator>? configure = null
    )
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.UseOutbox(new OutboxConsumePipeSpecificationObserver<TDbContext>(configurator, context), context, configure);
    }

    /// <summary>
    /// Runs every consumer and saga of an endpoint in a transaction with its inbox row and its outgoing messages. For endpoints
    /// whose consumers are configured without the registrations of <c>AddMassTransit</c>.
    /// </summary>
    /// <typeparam name="TDbContext">The context given to <see cref="AddEntityFrameworkOutbox{TDbContext}"/>.</typeparam>
    /// <param name="configurator">The endpoint.</param>
    /// <param name="provider">The container.</param>
    /// <param name="configure">Options.</param>
    /// <exception cref="ConfigurationException">A saga of the endpoint is in another context.</exception>
    public static void UseEntityFrameworkOutbox<TDbContext>(
        this IReceiveEndpointConfigurator configurator,
        IServiceProvider provider,
        Action<IOutboxOptionsConfigurator>? configure = null
    )
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(provider);
        configurator.UseOutbox(
            new OutboxConsumePipeSpecificationObserver<TDbContext>(
                configurator,
                provider,
                LegacySetScopedConsumeContext.Instance
            ),
            provider,
            configure
        );
    }

    private static void UseOutbox<TDbContext>(
        this IReceiveEndpointConfigurator configurator,
        OutboxConsumePipeSpecificationObserver<TDbContext> observer,
        IServiceProvider provider,
        Action<IOutboxOptionsConfigurator>? configure
    )
        where TDbContext : DbContext
    {
        configure?.Invoke(observer);
        configurator.ConnectConsumerConfigurationObserver(observer);
        configurator.ConnectSagaConfigurationObserver(observer);
        configurator.ConnectSagaConfigurationObserver(new SagaContextCheck<TDbContext>(provider));
        configurator.ConnectActivityConfigurationObserver(observer);
    }
}
