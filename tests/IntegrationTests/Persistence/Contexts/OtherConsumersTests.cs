using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Mediator;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>What consumers of a mediator, or of an endpoint configured by hand, publish goes through the outbox.</summary>
public sealed class OtherConsumersTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_mediator_consumer_publishes_with_SaveChanges_and_not_before()
    {
        await using var host = await ContextHost<OrdersDbContext>.StartAsync(
            servers,
            new ContextSetup
            {
                Services = services =>
                    services.AddMediator(mediator => mediator.AddConsumers(typeof(StoringConsumer), typeof(ForgettingConsumer))),
            }
        );
        var mediator = host.Services.GetRequiredService<IMediator>();

        await mediator.Send(new Forget());
        var conversation = NewId.NextGuid();
        await mediator.Send(new Store(), context => context.ConversationId = conversation);

        await host.Arrivals.CountAsync("stored", 1);
        Assert.Empty(host.Arrivals.NumbersOf("forgotten"));
        Assert.Equal(conversation, host.Arrivals.All.Single().ConversationId);
    }

    [Fact]
    public async Task An_endpoint_configured_by_hand_has_the_outbox_of_the_container()
    {
        ContextHost<OrdersDbContext>? host = null;
        var attempts = 0;
        await using var created = host = await ContextHost<OrdersDbContext>.CreateAsync(
            servers,
            new ContextSetup
            {
                Factory = factory =>
                    factory.ReceiveEndpoint(
                        "by-hand",
                        endpoint =>
                        {
                            endpoint.UseMessageRetry(retry => retry.Immediate(1));
                            endpoint.UseEntityFrameworkOutbox<OrdersDbContext>(host!.Services);
                            endpoint.Consumer(() => new FailingOnceConsumer(() => Interlocked.Increment(ref attempts) == 1));
                        }
                    ),
            }
        );
        await host.WithContextAsync(db => db.Database.EnsureCreatedAsync());
        await host.StartAsync();

        await host.PublishAsync(new Store());

        await host.Arrivals.CountAsync("in transaction", 1);
        Assert.Empty(host.Arrivals.Faults);
        Assert.Equal(1L, await host.QueryAsync<long>("SELECT count(*) FROM inbox_state"));
    }

    public sealed record Store;

    public sealed record Forget;

    private sealed class FailingOnceConsumer(Func<bool> fails) : IConsumer<Store>
    {
        public async Task Consume(ConsumeContext<Store> context)
        {
            var isInTransaction = context.TryGetPayload<DbTransactionContext>(out _);
            await context.Publish(new WorkDone(isInTransaction ? "in transaction" : "alone", 0));
            if (fails())
                throw new InvalidOperationException("once");
        }
    }

    private sealed class StoringConsumer(IPublishEndpoint publish, OrdersDbContext db) : IConsumer<Store>
    {
        public async Task Consume(ConsumeContext<Store> context)
        {
            await publish.Publish(new WorkDone("stored", 0), context.CancellationToken);
            await db.SaveChangesAsync(context.CancellationToken);
        }
    }

    private sealed class ForgettingConsumer(IPublishEndpoint publish) : IConsumer<Forget>
    {
        public Task Consume(ConsumeContext<Forget> context) => publish.Publish(new WorkDone("forgotten", 0));
    }
}
