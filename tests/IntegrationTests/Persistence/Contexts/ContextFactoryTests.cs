using System.Collections.Concurrent;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>The contexts of sagas may come from a function.</summary>
public sealed class ContextFactoryTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private readonly ConcurrentQueue<RenamedContext> _contexts = [];
    private ContextHost<RenamedContext>? _host;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_registered_saga_has_a_context_for_each_message(bool fromScope)
    {
        await using var host = await StartAsync(
            new ContextSetup
            {
                Outbox = false,
                Bus = bus =>
                    bus.AddSagaStateMachine<CounterMachine<Counter>, Counter>()
                        .EntityFrameworkRepository(repository =>
                        {
                            if (fromScope)
                                repository.DatabaseFactory(provider => () => CreateContext(provider));
                            else
                                repository.DatabaseFactory(CreateContext);
                        }),
            }
        );

        var id = await CountToThreeAsync(host);

        var saga = await host.Services.GetRequiredService<ILoadSagaRepository<Counter>>().Load(id);
        Assert.Equal(3, saga.Count);
        await EveryContextIsDisposedAsync();
    }

    [Theory]
    [InlineData(ConcurrencyMode.Optimistic)]
    [InlineData(ConcurrencyMode.Pessimistic)]
    public async Task A_repository_may_be_made_without_a_container(ConcurrencyMode mode)
    {
        var repository =
            mode == ConcurrencyMode.Optimistic
                ? EntityFrameworkSagaRepository<Counter>.CreateOptimistic(CreateContext)
                : EntityFrameworkSagaRepository<Counter>.CreatePessimistic(CreateContext);
        await using var host = await StartAsync(
            new ContextSetup
            {
                Outbox = false,
                Factory = factory =>
                    factory.ReceiveEndpoint(
                        "counter",
                        endpoint => endpoint.StateMachineSaga(new CounterMachine<Counter>(), repository)
                    ),
            }
        );

        await CountToThreeAsync(host);

        await EveryContextIsDisposedAsync();
    }

    private async Task<ContextHost<RenamedContext>> StartAsync(ContextSetup setup)
    {
        _host = await ContextHost<RenamedContext>.CreateAsync(servers, setup);
        await _host.WithContextAsync(db => db.Database.EnsureCreatedAsync());
        await _host.StartAsync();
        return _host;
    }

    private RenamedContext CreateContext() => CreateContext(_host!.Services);

    private RenamedContext CreateContext(IServiceProvider provider)
    {
        var context = new RenamedContext(provider.GetRequiredService<DbContextOptions<RenamedContext>>());
        _contexts.Enqueue(context);
        return context;
    }

    private static async Task<Guid> CountToThreeAsync(ContextHost<RenamedContext> host)
    {
        var id = NewId.NextGuid();
        for (var count = 1; count <= 3; count++)
        {
            await host.PublishAsync(new Counted(id));
            await Eventually.EqualAsync(
                count,
                () => host.WithContextAsync(db => db.Set<Counter>().SumAsync(counter => counter.Count))
            );
        }

        return id;
    }

    private async Task EveryContextIsDisposedAsync()
    {
        Assert.NotEmpty(_contexts);
        await Eventually.TrueAsync("every context is disposed", () => Task.FromResult(_contexts.All(IsDisposed)));
    }

    private static bool IsDisposed(RenamedContext context)
    {
        try
        {
            context.Set<Counter>();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
