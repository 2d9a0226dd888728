using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Sagas.Persistence;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>How a program with a context of its own differs from the default.</summary>
internal sealed record ContextSetup
{
    public Action<DbContextOptionsBuilder> Context { get; init; } = _ => { };

    public Action<NpgsqlDbContextOptionsBuilder> Npgsql { get; init; } = _ => { };

    /// <summary>Whether the context uses the database; otherwise <see cref="Context"/> names another.</summary>
    public bool UsesNpgsql { get; init; } = true;

    public Action<IServiceCollection> Services { get; init; } = _ => { };

    /// <summary>Registers consumers and sagas.</summary>
    public Action<IBusRegistrationConfigurator> Bus { get; init; } = _ => { };

    /// <summary>Configures the bus before its endpoints; these have the outbox.</summary>
    public Action<IBusFactoryConfigurator> Factory { get; init; } = _ => { };

    public bool Outbox { get; init; } = true;

    /// <summary>The broker; in memory unless set.</summary>
    public Uri? RabbitMq { get; init; }

    /// <summary>What the consumer of <see cref="Work"/> does.</summary>
    public Func<ConsumeContext<Work>, IServiceProvider, Task> Work { get; init; } = (_, _) => Task.CompletedTask;
}

/// <summary>
/// A program with bus, outbox and a context of its own, on tables that EF Core created from the context's model, as a user of the
/// package may have.
/// </summary>
internal sealed class ContextHost<TContext> : IAsyncDisposable
    where TContext : DbContext
{
    private readonly TestDatabase _database;
    private readonly IHost _host;
    private bool _isStarted;

    private ContextHost(TestDatabase database, ContextSetup setup)
    {
        _database = database;
        _host = Build(database.ConnectionString, setup);
    }

    public Arrivals Arrivals => Services.GetRequiredService<Arrivals>();

    public IServiceProvider Services => _host.Services;

    public string ConnectionString => _database.ConnectionString;

    public IReadOnlyList<FakeLogRecord> Log => Services.GetRequiredService<FakeLogCollector>().GetSnapshot();

    /// <summary>Creates database and tables, and the host that <see cref="StartAsync()"/> starts.</summary>
    public static async Task<ContextHost<TContext>> CreateAsync(ITestServers servers, ContextSetup setup)
    {
        var database = await servers.CreateDatabaseAsync("context");
        var host = new ContextHost<TContext>(database, setup);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using (var command = source.CreateCommand("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
            await command.ExecuteNonQueryAsync();
        return host;
    }

    public static async Task<ContextHost<TContext>> StartAsync(ITestServers servers, ContextSetup setup)
    {
        var host = await CreateAsync(servers, setup);
        await host.WithContextAsync(db => db.Database.EnsureCreatedAsync());
        await host.StartAsync();
        return host;
    }

    public async Task StartAsync()
    {
        await _host.StartAsync();
        _isStarted = true;
    }

    public async Task<T> WithContextAsync<T>(Func<TContext, Task<T>> run)
    {
        await using var scope = Services.CreateAsyncScope();
        return await run(scope.ServiceProvider.GetRequiredService<TContext>());
    }

    public IBus Bus => Services.GetRequiredService<IBus>();

    /// <summary>Sends a message to the endpoint of its consumer or saga.</summary>
    public Task PublishAsync<T>(T message)
        where T : class => Bus.Publish(message);

    /// <summary>Publishes in a scope through the bus outbox, and saves.</summary>
    public async Task PublishInScopeAsync(Func<IPublishEndpoint, Task> publish)
    {
        await using var scope = Services.CreateAsyncScope();
        await publish(scope.ServiceProvider.GetRequiredService<IPublishEndpoint>());
        await scope.ServiceProvider.GetRequiredService<TContext>().SaveChangesAsync();
    }

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_isStarted)
            await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        await _database.DisposeAsync();
    }

    private static IHost Build(string connectionString, ContextSetup setup)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddFakeLogging();
        builder.Services.AddSingleton(setup).AddSingleton<Arrivals>();
        builder.Services.AddDbContext<TContext>(options =>
        {
            if (setup.UsesNpgsql)
                options.UseNpgsql(connectionString, setup.Npgsql);
            setup.Context(options);
        });
        builder.Services.Configure<MassTransitHostOptions>(options =>
        {
            options.WaitUntilStarted = true;
            options.StopTimeout = TimeSpan.FromSeconds(10);
        });
        builder.Services.AddMassTransit(bus => Configure(bus, setup));
        setup.Services(builder.Services);
        return builder.Build();
    }

    private static void Configure(IBusRegistrationConfigurator bus, ContextSetup setup)
    {
        if (setup.Outbox)
        {
            bus.AddEntityFrameworkOutbox<TContext>(outbox =>
            {
                outbox.QueryDelay = TimeSpan.FromMilliseconds(50);
                outbox.UseBusOutbox(busOutbox => busOutbox.MessageDeliveryTimeout = Eventually.Timeout);
            });
            bus.AddEntityFrameworkMessageScheduler();
            bus.AddConfigureEndpointsCallback(
                (context, queue, endpoint) =>
                {
                    if (queue != nameof(Arrivals))
                        endpoint.UseEntityFrameworkOutbox<TContext>(context);
                }
            );
        }

        bus.AddConsumer<ArrivalsConsumer>().Endpoint(endpoint => endpoint.Name = nameof(Arrivals));
        bus.AddConsumer<SetupConsumer>();
        setup.Bus(bus);
        if (setup.RabbitMq is { } address)
        {
            bus.UsingRabbitMq(
                (context, factory) =>
                {
                    factory.Host(address);
                    Finish(context, factory);
                }
            );
        }
        else
        {
            bus.UsingInMemory(Finish);
        }

        void Finish<T>(IBusRegistrationContext context, IBusFactoryConfigurator<T> factory)
            where T : IReceiveEndpointConfigurator
        {
            setup.Factory(factory);
            factory.ConfigureEndpoints(context);
        }
    }

    private sealed class SetupConsumer(ContextSetup setup, IServiceProvider provider) : IConsumer<Work>
    {
        public Task Consume(ConsumeContext<Work> context) => setup.Work(context, provider);
    }

    private sealed class ArrivalsConsumer(Arrivals arrivals)
        : IConsumer<WorkDone>,
            IConsumer<Fault<Work>>,
            IConsumer<Fault<Counted>>
    {
        public Task Consume(ConsumeContext<WorkDone> context) => arrivals.NoteAsync(context);

        public Task Consume(ConsumeContext<Fault<Work>> context) => arrivals.NoteFaultAsync(context.Message.Exceptions);

        public Task Consume(ConsumeContext<Fault<Counted>> context) => arrivals.NoteFaultAsync(context.Message.Exceptions);
    }
}
