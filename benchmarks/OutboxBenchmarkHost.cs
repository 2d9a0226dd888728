using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sagas.Benchmarks;

/// <summary>A host with the saga on given servers, with or without the outbox.</summary>
internal static class OutboxBenchmarkHost
{
    public const string Queue = "order-saga";

    public static IHost Create(string postgres, Uri rabbitMq, bool outbox, bool consume = true)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        // A run ends with sends in flight, on purpose; MassTransit would log each as an error.
        builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Warning).AddFilter("MassTransit", LogLevel.Critical);
        builder.Services.AddSingleton(_ =>
            Npgsql.NpgsqlDataSource.Create(postgres + ";Max Auto Prepare=64;Auto Prepare Min Usages=2;No Reset On Close=true")
        );
        builder.Services.AddDbContextPool<BenchmarkDbContext>(
            (provider, options) => options.UseNpgsql(provider.GetRequiredService<Npgsql.NpgsqlDataSource>())
        );
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
        builder.Services.AddMassTransit(bus => Configure(bus, rabbitMq, outbox, consume));
        return builder.Build();
    }

    private static void Configure(IBusRegistrationConfigurator bus, Uri rabbitMq, bool outbox, bool consume)
    {
        if (outbox)
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
                        if (outbox)
                            endpoint.UseEntityFrameworkOutbox<BenchmarkDbContext>(context);
                        endpoint.ConfigureSaga<OrderState>(context);
                    }
                );
            }
        );
    }
}
