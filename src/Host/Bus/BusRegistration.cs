using MassTransit;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Sagas.Host.Logs;
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
    /// <param name="services">The services; the database's must be among them.</param>
    /// <param name="settings">What is the same for every feature.</param>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="onlyDeploy">Starting the bus declares exchanges, queues and bindings, and consumes nothing.</param>
    public static void AddBus(this IServiceCollection services, HostSettings settings, IConfiguration configuration, bool onlyDeploy = false)
    {
        services.AddSingleton(settings.RabbitMq);
        services.TryAddSingleton<BrokerVersion>();
        // Whatever is in flight gets most of the time there is; the rest is for closing connections.
        services.AddOptions<MassTransitHostOptions>().Configure(options =>
        {
            options.WaitUntilStarted = true;
            options.StopTimeout = settings.ShutdownTimeout;
            options.ConsumerStopTimeout = settings.ShutdownTimeout * 0.9;
        });
        services.AddMassTransit(bus =>
        {
            bus.ConfigureHealthCheckOptions(options => options.Name = "bus");
            // MassTransit would report to its makers what is configured here, and on which machine.
            bus.ConfigureUsageTelemetryOptions(options => options.Enabled = false);
            AddOutbox(bus, settings.Roles);
            var features = new FeatureContext(settings.Roles, configuration, settings.Messages);
            foreach (var module in Features.All)
                module.AddConsumers(bus, features);
            bus.AddConfigureEndpointsCallback((context, name, endpoint) => ConfigureEndpoint(context, name, endpoint, settings));
            if (settings.UsesRabbitMq)
            {
                bus.UsingRabbitMq((context, configurator) =>
                {
                    configurator.DeployTopologyOnly = onlyDeploy;
                    ConfigureRabbitMq(context, configurator, settings, onlyDeploy);
                });
            }
            else
                bus.UsingInMemory((context, configurator) => ConfigureInMemory(context, configurator, settings));
        });
    }

    private static void AddOutbox(IBusRegistrationConfigurator bus, RoleSet roles)
    {
        bus.AddEntityFrameworkOutbox<SagasDbContext>(outbox =>
        {
            outbox.UsePostgres();
            outbox.UseBusOutbox();
            // Cleanup is the work of one role; publishing and relaying what it wrote is every process's own.
            if (!roles.Has(OperationsModule.OperationsRole))
                outbox.DisableInboxCleanupService();
        });
        bus.AddEntityFrameworkMessageScheduler();
    }

    private static void ConfigureRabbitMq(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator bus, HostSettings settings, bool onlyDeploy)
    {
        var rabbitMq = settings.RabbitMq;
        bus.Host(rabbitMq.Address, host =>
        {
            host.Username(rabbitMq.User);
            host.Password(rabbitMq.Password);
            host.Heartbeat(rabbitMq.Heartbeat);
            host.PublisherConfirmation = true;
            host.ConnectionName($"sagas on {Environment.MachineName} ({settings.Roles})");
            if (rabbitMq.UsesTls)
                host.UseSsl(tls => tls.ServerName = rabbitMq.Address.Host);
        });
        bus.PrefetchCount = rabbitMq.Prefetch;
        ConfigureMessages(context, bus, settings);
        foreach (var module in Features.All)
            module.ConfigureBroker(bus, context, settings.Roles, onlyDeploy);
        bus.ConfigureEndpoints(context);
    }

    private static void ConfigureInMemory(IBusRegistrationContext context, IInMemoryBusFactoryConfigurator bus, HostSettings settings)
    {
        bus.PrefetchCount = settings.RabbitMq.Prefetch;
        ConfigureMessages(context, bus, settings);
        bus.ConfigureEndpoints(context);
    }

    private static void ConfigureMessages(IBusRegistrationContext context, IBusFactoryConfigurator bus, HostSettings settings)
    {
        bus.UseContractEntityNames();
        bus.UsePlainJson(settings.Messages);
        bus.UseEntityFrameworkMessageScheduler(context);
    }

    private static void ConfigureEndpoint(IRegistrationContext context, string name, IReceiveEndpointConfigurator endpoint, HostSettings settings)
    {
        var loggers = context.GetRequiredService<ILoggerFactory>();
        var logger = loggers.CreateLogger("Sagas.DeadLetters");
        var deliveries = loggers.CreateLogger("Sagas.Deliveries");
        var stopping = context.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        if (endpoint is IRabbitMqReceiveEndpointConfigurator queue)
        {
            LostChannelFilter.Use(queue);
            queue.SetQuorumQueue();
            // A process killed 20 times must not cost a message. The error queue inherits this.
            if (context.GetRequiredService<BrokerVersion>().LimitsDeliveries)
                queue.SetQueueArgument("x-delivery-limit", -1);
        }
        endpoint.ConnectReceiveEndpointObserver(new EndpointBack(deliveries));
        // Dead letters are seen in the error queue; nobody subscribes to faults, which would carry personal data.
        endpoint.PublishFaults = false;
        endpoint.ConfigureDeadLetter(pipe => pipe.UseFilter(new UnknownMessageFilter(logger)));
        endpoint.ConfigureError(pipe =>
        {
            pipe.UseFilter(new FaultReportFilter(logger));
            pipe.UseFilter(new MassTransit.Middleware.ErrorTransportFilter());
        });
        // From the outside in: what is logged, what is refused, what is retried, what is atomic.
        endpoint.UseFilter(new LogScopeFilter());
        endpoint.UseMessageRules(Features.MessageRules, settings.Messages, context.GetRequiredService<TimeProvider>());
        endpoint.UseMessageRetry(retry => retry.SetRetryPolicy(filter => new DeliveryRetryPolicy(filter, stopping, deliveries)));
        if (Features.Endpoint(name).UsesOutbox)
            endpoint.UseEntityFrameworkOutbox<SagasDbContext>(context);
    }
}
