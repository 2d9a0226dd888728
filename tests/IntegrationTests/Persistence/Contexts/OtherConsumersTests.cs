using MassTransit;
using MassTransit.Mediator;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>What consumers of a mediator publish goes through the bus outbox.</summary>
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

    public sealed record Store;

    public sealed record Forget;

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
