using MassTransit;
using Microsoft.Extensions.Options;
using Sagas.Database;
using Sagas.Host.Settings;
using Sagas.Persistence;
using Sagas.Services;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.Operations;

namespace Sagas.Host.Bus;

/// <summary>The bus and what holds for each of its endpoints.</summary>
internal static class BusRegistration
{
    /// <param name="services">The services; settings and database must be among them.</param>
    /// <param name="features">The program's features.</param>
    /// <param name="process">What the features register from.</param>
    /// <param name="transport">What carries the messages.</param>
    /// <param name="onlyDeploy">Starting the bus declares exchanges, queues and bindings, and consumes nothing.</param>
    public static void AddBus(
        this IServiceCollection services,
        Features features,
        FeatureContext process,
        BusTransport transport,
        bool onlyDeploy = false
    )
    {
        // Work in flight gets most of the time; the rest is for closing connections.
        services
            .AddOptions<MassTransitHostOptions>()
            .Configure<IOptions<ProcessOptions>>(
                (options, process) =>
                {
                    options.WaitUntilStarted = true;
                    options.StopTimeout = process.Value.ShutdownTimeout;
                    options.ConsumerStopTimeout = process.Value.ShutdownTimeout * 0.9;
                }
            );
        services.AddMassTransit(bus =>
        {
            bus.ConfigureHealthCheckOptions(options => options.Name = "bus");
            // MassTransit would report this configuration and machine to its makers.
            bus.ConfigureUsageTelemetryOptions(options => options.Enabled = false);
            AddOutbox(bus, process.Roles);
            foreach (var module in features.Modules)
                module.AddConsumers(bus, process);
            bus.AddConfigureEndpointsCallback((context, name, endpoint) => ConfigureEndpoint(context, features, name, endpoint));
            if (transport == BusTransport.RabbitMq)
            {
                bus.UsingRabbitMq(
                    (context, configurator) =>
                    {
                        configurator.DeployTopologyOnly = onlyDeploy;
                        ConfigureRabbitMq(context, configurator, features, process.Roles);
                    }
                );
            }
            else
                bus.UsingInMemory((context, configurator) => ConfigureInMemory(context, configurator, features));
        });
    }

    private static void AddOutbox(IBusRegistrationConfigurator bus, RoleSet roles)
    {
        bus.AddEntityFrameworkOutbox<SagasDbContext>(outbox =>
        {
            outbox.UsePostgres();
            outbox.UseBusOutbox();
            // Cleanup is the work of one role; each process publishes and relays what it wrote.
            if (!roles.Has(OperationsModule.OperationsRole))
                outbox.DisableInboxCleanupService();
        });
        bus.AddEntityFrameworkMessageScheduler();
    }

    private static void ConfigureRabbitMq(
        IBusRegistrationContext context,
        IRabbitMqBusFactoryConfigurator bus,
        Features features,
        RoleSet roles
    )
    {
        var rabbitMq = Options<RabbitMqOptions>(context);
        bus.Host(
            rabbitMq.Address,
            host =>
            {
                host.Username(rabbitMq.User);
                host.Password(rabbitMq.Password);
                host.Heartbeat(rabbitMq.HeartbeatInterval);
                host.PublisherConfirmation = true;
                host.ConnectionName($"sagas on {Environment.MachineName} ({roles})");
                if (rabbitMq.UsesTls)
                    host.UseSsl(tls => tls.ServerName = rabbitMq.Address.Host);
            }
        );
        bus.PrefetchCount = rabbitMq.PrefetchCount;
        ConfigureMessages(context, bus, features);
        bus.ConfigureEndpoints(context);
    }

    private static void ConfigureInMemory(IBusRegistrationContext context, IInMemoryBusFactoryConfigurator bus, Features features)
    {
        bus.PrefetchCount = Options<RabbitMqOptions>(context).PrefetchCount;
        ConfigureMessages(context, bus, features);
        bus.ConfigureEndpoints(context);
    }

    private static void ConfigureMessages(IBusRegistrationContext context, IBusFactoryConfigurator bus, Features features)
    {
        bus.UseContractEntityNames(features.Messages);
        bus.UsePlainJson(Options<MessagesOptions>(context), features.Messages, context.GetRequiredService<TimeProvider>());
        bus.UseEntityFrameworkMessageScheduler(context);
    }

    private static void ConfigureEndpoint(
        IRegistrationContext context,
        Features features,
        string name,
        IReceiveEndpointConfigurator endpoint
    )
    {
        var loggers = context.GetRequiredService<ILoggerFactory>();
        var logger = loggers.CreateLogger("Sagas.DeadLetters");
        var deliveries = loggers.CreateLogger("Sagas.Deliveries");
        var timeProvider = context.GetRequiredService<TimeProvider>();
        var stopping = context.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        if (endpoint is IRabbitMqReceiveEndpointConfigurator queue)
        {
            LostChannelFilter.Use(queue);
            var conflicts = context.GetRequiredService<QueueConflicts>();
            queue.ConfigureChannel(channel => channel.UseFilter(new ExistingQueueFilter(conflicts)));
            queue.SetQuorumQueue();
            // A process killed 20 times must not cost a message. The error queue inherits this.
            if (context.GetRequiredService<BrokerVersion>().LimitsDeliveries)
                queue.SetQueueArgument("x-delivery-limit", -1);
        }
        endpoint.ConnectReceiveEndpointObserver(new EndpointRecoveryObserver(deliveries));
        // Dead letters are in the error queue; nothing subscribes to faults, which would carry personal data.
        endpoint.PublishFaults = false;
        endpoint.ConfigureDeadLetter(pipe => pipe.UseFilter(new UnknownMessageFilter(logger)));
        endpoint.ConfigureError(pipe =>
        {
            pipe.UseFilter(new FaultReportFilter(logger, features.Messages, timeProvider));
            pipe.UseFilter(new MassTransit.Middleware.ErrorTransportFilter());
        });
        // From the outside in: log scope, validation, retry, transaction.
        endpoint.UseFilter(new LogScopeFilter());
        endpoint.UseMessageRules(features.MessageRules, Options<MessagesOptions>(context), timeProvider);
        endpoint.UseMessageRetry(retry =>
            retry.SetRetryPolicy(filter => new DeliveryRetryPolicy(filter, timeProvider, deliveries, stopping))
        );
        if (features.Endpoint(name).UsesOutbox)
            endpoint.UseEntityFrameworkOutbox<SagasDbContext>(context);
    }

    private static TOptions Options<TOptions>(IServiceProvider provider)
        where TOptions : class => provider.GetRequiredService<IOptions<TOptions>>().Value;
}
