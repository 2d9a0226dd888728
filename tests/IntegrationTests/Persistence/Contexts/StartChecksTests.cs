using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>What cannot work stops the program at its start, with the remedy, and not its first message.</summary>
public sealed class StartChecksTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_saga_in_another_context_than_its_outbox()
    {
        var exception = await StartAsync<OrdersDbContext>(
            new ContextSetup
            {
                Services = services => services.AddDbContext<TallyContext>(options => options.UseNpgsql("Host=nowhere")),
                Bus = bus => AddCounter<TallyCounter, TallyContext>(bus),
            }
        );

        Assert.Contains("TallyCounter is in TallyContext, and the outbox of its endpoint in OrdersDbContext", exception.Message);
        Assert.Contains("ExistingDbContext", exception.Message);
    }

    [Fact]
    public async Task A_saga_whose_context_comes_from_a_factory_on_an_endpoint_with_outbox()
    {
        var exception = await StartAsync<OrdersDbContext>(
            new ContextSetup
            {
                Bus = bus =>
                    bus.AddSagaStateMachine<CounterMachine<TallyCounter>, TallyCounter>()
                        .EntityFrameworkRepository(repository =>
                            repository.DatabaseFactory(() => new TallyContext(new DbContextOptions<TallyContext>()))
                        ),
            }
        );

        Assert.Contains("TallyCounter is in TallyContext, and the outbox of its endpoint in OrdersDbContext", exception.Message);
    }

    [Fact]
    public async Task A_saga_that_is_not_in_the_model() =>
        Assert.Contains(
            "SagaClassMap<Counter>",
            (await StartAsync<OrdersDbContext>(new ContextSetup { Bus = AddCounter<Counter, OrdersDbContext> })).Message
        );

    [Fact]
    public async Task A_model_without_the_tables_of_the_outbox() =>
        Assert.Contains("modelBuilder.AddInboxStateEntity()", (await StartAsync<BareContext>(new ContextSetup())).Message);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_context_of_another_database(bool outbox) =>
        Assert.Contains(
            "UseNpgsql",
            (
                await StartAsync<OrdersDbContext>(
                    new ContextSetup
                    {
                        Outbox = outbox,
                        UsesNpgsql = false,
                        Context = options => options.UseInMemoryDatabase("other"),
                        Bus = bus =>
                            bus.AddSagaStateMachine<OrderStateMachine, OrderState>()
                                .EntityFrameworkRepository(repository => repository.ExistingDbContext<OrdersDbContext>()),
                    }
                )
            ).Message
        );

    [Fact]
    public void A_second_outbox()
    {
        var services = new ServiceCollection();
        services.AddMassTransit(bus =>
        {
            bus.AddEntityFrameworkOutbox<OrdersDbContext>();
            var exception = Assert.Throws<ConfigurationException>(() => bus.AddEntityFrameworkOutbox<TallyContext>());
            Assert.Contains("a process has one outbox", exception.Message);
        });
    }

    [Fact]
    public void An_outbox_of_a_second_bus()
    {
        var services = new ServiceCollection();
        services.AddMassTransit<ISecondBus>(bus =>
        {
            var exception = Assert.Throws<ConfigurationException>(() => bus.AddEntityFrameworkOutbox<OrdersDbContext>());
            Assert.Contains("AddMassTransit(...)", exception.Message);
        });
    }

    public interface ISecondBus : IBus;

    private static void AddCounter<TCounter, TContext>(IBusRegistrationConfigurator bus)
        where TCounter : class, ICounter, new()
        where TContext : DbContext =>
        bus.AddSagaStateMachine<CounterMachine<TCounter>, TCounter>()
            .EntityFrameworkRepository(repository => repository.ExistingDbContext<TContext>());

    private async Task<Exception> StartAsync<TContext>(ContextSetup setup)
        where TContext : DbContext
    {
        await using var host = await ContextHost<TContext>.CreateAsync(servers, setup);
        return await Assert.ThrowsAnyAsync<ConfigurationException>(host.StartAsync);
    }

    private sealed class BareContext(DbContextOptions<BareContext> options) : DbContext(options);
}
