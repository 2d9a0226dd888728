using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>How a <see cref="TestProcess"/> differs from the default.</summary>
internal sealed record ProcessSetup
{
    public Script Script { get; init; } = new();

    public Arrivals Arrivals { get; init; } = new();

    /// <summary>The broker; in memory and private to this process unless set.</summary>
    public Uri? RabbitMq { get; init; }

    /// <summary>The connection string, if it is not that of the database.</summary>
    public string? Postgres { get; init; }

    public Action<IEntityFrameworkOutboxConfigurator> Outbox { get; init; } = _ => { };

    /// <summary>
    /// Whether the broker may take any time. The one in memory always confirms; a shorter timeout on a busy machine would send
    /// messages twice, which is correct, but would change the counts.
    /// </summary>
    public bool? ConfirmsAreAwaited { get; init; }

    public bool Relays { get; init; } = true;

    public bool Consumes { get; init; } = true;

    public bool SagaOutbox { get; init; } = true;

    /// <summary>Whether the saga's mapping lets its messages share transactions.</summary>
    public bool Grouped { get; init; }

    /// <summary>Retries and redeliveries around the outbox.</summary>
    public Action<IReceiveEndpointConfigurator> Endpoint { get; init; } = _ => { };

    public Action<IEntityFrameworkSagaRepositoryConfigurator<OrderState>> Repository { get; init; } =
        repository => repository.ConcurrencyMode = ConcurrencyMode.Optimistic;

    /// <summary>The clock of the process.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Called for each stored message before it is sent to the broker.</summary>
    public Func<SendContext, Task>? Sending { get; init; }
}

/// <summary>A process with bus, outbox, a consumer, a saga, and an endpoint that records what arrives.</summary>
internal sealed class TestProcess : IAsyncDisposable
{
    public const string WorkQueue = "work";
    public const string OrderQueue = "orders";

    private readonly IHost _host;

    private TestProcess(IHost host, ProcessSetup setup)
    {
        _host = host;
        Arrivals = setup.Arrivals;
        Script = setup.Script;
    }

    public Arrivals Arrivals { get; }

    public Script Script { get; }

    public Deliveries Deliveries { get; } = new();

    public IServiceProvider Services => _host.Services;

    public static async Task<TestProcess> StartAsync(PersistenceDatabase database, ProcessSetup? setup = null)
    {
        setup ??= new ProcessSetup();
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(setup.Script);
        builder.Services.AddSingleton(setup.TimeProvider);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(setup.Postgres ?? database.ConnectionString));
        builder.Services.AddDbContextPool<OrdersDbContext>(
            (provider, options) =>
            {
                options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>());
                if (setup.Grouped)
                    ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(new PlainOrders());
            }
        );
        builder.Services.Configure<MassTransitHostOptions>(options =>
        {
            options.WaitUntilStarted = true;
            // As in the services: without a limit an endpoint waits for messages in progress even if their connection is lost.
            options.StopTimeout = TimeSpan.FromSeconds(10);
        });
        builder.Services.AddMassTransit(bus => Configure(bus, setup));
        var process = new TestProcess(builder.Build(), setup);
        var control = process.Services.GetRequiredService<IBusControl>();
        control.ConnectReceiveObserver(process.Deliveries);
        if (setup.Sending is not null)
            control.ConnectSendObserver(new StoredMessageObserver(setup.Sending));
        await process._host.StartAsync();
        return process;
    }

    public Task SendAsync(Work work, Guid? messageId = null) => SendAsync(WorkQueue, work, messageId);

    public Task SendOrderAsync<T>(T message, Guid? messageId = null)
        where T : class => SendAsync(OrderQueue, message, messageId);

    /// <summary>Runs what an HTTP endpoint would: a scope with context and publish endpoint of its own.</summary>
    public async Task InScopeAsync(Func<OrdersDbContext, IPublishEndpoint, Task> run)
    {
        await using var scope = Services.CreateAsyncScope();
        await run(
            scope.ServiceProvider.GetRequiredService<OrdersDbContext>(),
            scope.ServiceProvider.GetRequiredService<IPublishEndpoint>()
        );
    }

    /// <summary>Publishes through the bus outbox.</summary>
    public Task PublishStoredAsync(string name, int count = 1) =>
        InScopeAsync(
            async (db, publish) =>
            {
                for (var number = 0; number < count; number++)
                    await publish.Publish(new WorkDone(name, number));
                await db.SaveChangesAsync();
            }
        );

    public Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        if (_host is IAsyncDisposable host)
            await host.DisposeAsync();
    }

    private async Task SendAsync<T>(string queue, T message, Guid? messageId)
        where T : class
    {
        var endpoint = await Services.GetRequiredService<IBus>().GetSendEndpoint(new Uri($"queue:{queue}"));
        await endpoint.Send(message, context => context.MessageId = messageId ?? NewId.NextGuid());
    }

    private static void Configure(IBusRegistrationConfigurator bus, ProcessSetup setup)
    {
        bus.AddEntityFrameworkOutbox<OrdersDbContext>(outbox =>
        {
            outbox.UsePostgres();
            outbox.QueryDelay = TimeSpan.FromMilliseconds(50);
            outbox.UseBusOutbox(busOutbox =>
            {
                if (setup.ConfirmsAreAwaited ?? setup.RabbitMq is null)
                    busOutbox.MessageDeliveryTimeout = Eventually.Timeout;
                if (!setup.Relays)
                    busOutbox.DisableDeliveryService();
            });
            setup.Outbox(outbox);
        });
        bus.AddEntityFrameworkMessageScheduler();
        bus.AddConsumer<WorkConsumer>();
        bus.AddSagaStateMachine<OrderStateMachine, OrderState>()
            .EntityFrameworkRepository(repository =>
            {
                repository.ExistingDbContext<OrdersDbContext>();
                repository.UsePostgres();
                setup.Repository(repository);
            });
        if (setup.RabbitMq is { } address)
        {
            bus.UsingRabbitMq(
                (context, configurator) =>
                {
                    configurator.Host(address);
                    ConfigureBus(configurator, context, setup);
                }
            );
        }
        else
        {
            bus.UsingInMemory((context, configurator) => ConfigureBus(configurator, context, setup));
        }
    }

    private static void ConfigureBus<T>(IBusFactoryConfigurator<T> bus, IBusRegistrationContext context, ProcessSetup setup)
        where T : class, IReceiveEndpointConfigurator
    {
        bus.UseEntityFrameworkMessageScheduler(context);
        if (!setup.Consumes)
            return;
        bus.ReceiveEndpoint(
            WorkQueue,
            endpoint => ConfigureEndpoint(endpoint, true, () => endpoint.ConfigureConsumer<WorkConsumer>(context))
        );
        bus.ReceiveEndpoint(
            OrderQueue,
            endpoint => ConfigureEndpoint(endpoint, setup.SagaOutbox, () => endpoint.ConfigureSaga<OrderState>(context))
        );
        bus.ReceiveEndpoint(
            "arrivals",
            endpoint =>
            {
                // One at a time, so that messages are recorded in the order of arrival.
                endpoint.PrefetchCount = 1;
                endpoint.ConcurrentMessageLimit = 1;
                endpoint.Handler<WorkDone>(setup.Arrivals.NoteAsync);
                endpoint.Handler<Fault<Work>>(fault => setup.Arrivals.NoteFaultAsync(fault.Message.Exceptions));
                endpoint.Handler<Fault<OrderCounted>>(fault => setup.Arrivals.NoteFaultAsync(fault.Message.Exceptions));
            }
        );

        void ConfigureEndpoint(IReceiveEndpointConfigurator endpoint, bool outbox, Action consumer)
        {
            endpoint.PrefetchCount = 32;
            setup.Endpoint(endpoint);
            if (outbox)
                endpoint.UseEntityFrameworkOutbox<OrdersDbContext>(context);
            consumer();
        }
    }
}
