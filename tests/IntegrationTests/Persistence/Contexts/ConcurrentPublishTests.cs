using MassTransit;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>Code that publishes on several threads at once loses no message.</summary>
public sealed class ConcurrentPublishTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const int Messages = 400;
    private const int Rounds = 12;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_consumer_may_publish_concurrently(bool onRabbitMq)
    {
        await using var virtualHost = await servers.CreateVirtualHostAsync("concurrent");
        var setup = new ContextSetup
        {
            RabbitMq = onRabbitMq ? virtualHost.Uri : null,
            Work = (context, _) => PublishConcurrentlyAsync(context, context.Message.Number),
        };
        await using var host = await ContextHost<OrdersDbContext>.StartAsync(servers, setup);

        for (var round = 0; round < Rounds; round++)
            await host.PublishAsync(new Work("", round));

        await AllArriveAsync(host);
    }

    [Fact]
    public async Task A_scope_may_publish_to_the_bus_outbox_concurrently()
    {
        await using var host = await ContextHost<OrdersDbContext>.StartAsync(servers, new ContextSetup());

        for (var round = 0; round < Rounds; round++)
            await host.PublishInScopeAsync(publish => PublishConcurrentlyAsync(publish, round));

        await AllArriveAsync(host);
    }

    private static Task PublishConcurrentlyAsync(IPublishEndpoint publish, int round) =>
        Task.WhenAll(
            Enumerable.Range(0, Messages).Select(number => Task.Run(() => publish.Publish(new WorkDone($"{round}", number))))
        );

    private static async Task AllArriveAsync(ContextHost<OrdersDbContext> host)
    {
        await host.Arrivals.CountDistinctAsync(Messages * Rounds);
        Assert.Empty(host.Arrivals.Faults);
        for (var round = 0; round < Rounds; round++)
            Assert.Equal(Enumerable.Range(0, Messages), host.Arrivals.DistinctNumbersOf($"{round}").Order());
    }
}
