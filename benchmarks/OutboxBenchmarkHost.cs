using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sagas.Benchmarks;

/// <summary>What the saga does with its event.</summary>
internal enum OutboxKind
{
    /// <summary>It publishes at once.</summary>
    None,

    /// <summary>MassTransit's own outbox in memory: it publishes after the saga is saved, if the process lives.</summary>
    InMemory,

    /// <summary>The outbox of this product, with its inbox.</summary>
    Transactional,
}

/// <summary>A host with the saga on given servers.</summary>
internal static class OutboxBenchmarkHost
{
    public const string Queue = "order-saga";

    public static IHost Create(string postgres, Uri rabbitMq, OutboxKind outbox, bool consume = true)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        // A run ends with sends in flight, on purpose; MassTransit would log each as an error.
        builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Warning).AddFilter("MassTransit", LogLevel.Critical);
        builder.Services.AddSingleton(_ => Npgsql.NpgsqlDataSource.Create(Pooled(postgres)));
        builder.Services.AddDbContextPool<BenchmarkDbContext>(
            (provider, options) => options.UseNpgsql(provider.GetRequiredService<Npgsql.NpgsqlDataSource>())
        );
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
        builder.Services.AddMassTransit(bus => Configure(bus, rabbitMq, outbox, consume));
        return builder.Build();
    }

    /// <summary>A connection string with the settings of the services' pool.</summary>
    public static string Pooled(string postgres) =>
        postgres + ";Max Auto Prepare=64;Auto Prepare Min Usages=2;No Reset On Close=true";

    private static void Configure(IBusRegistrationConfigurator bus, Uri rabbitMq, OutboxKind outbox, bool consume)
    {
        if (outbox == OutboxKind.Transactional)
        {
            bus.AddEntityFrameworkOutbox<BenchmarkDbContext>(o =>
            {
                o.UsePostgres();
                o.UseBusOutbox();
            });
        }

        if (consume)
        {
            bus.AddSagaStateMachine<OrderStateMachine, OrderState>()
                .EntityFrameworkRepository(r =>
                {
                    r.ConcurrencyMode = ConcurrencyMode.Optimistic;
                    r.ExistingDbContext<BenchmarkDbContext>();
                    r.UsePostgres();
                });
        }

        bus.UsingRabbitMq(
            (context, configurator) =>
            {
                configurator.Host(rabbitMq);
                configurator.PrefetchCount = 64;
                if (!consume)
                    return;
                configurator.ReceiveEndpoint(
                    Queue,
                    endpoint =>
                    {
                        endpoint.SetQuorumQueue();
                        if (outbox == OutboxKind.Transactional)
                            endpoint.UseEntityFrameworkOutbox<BenchmarkDbContext>(context);
                        if (outbox == OutboxKind.InMemory)
                            endpoint.UseInMemoryOutbox(context);
                        endpoint.ConfigureSaga<OrderState>(context);
                    }
                );
            }
        );
    }
}
