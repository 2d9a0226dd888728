using MassTransit;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Messages of one transaction arrive in the order in which they were published, on every path.</summary>
public sealed class OrderingTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private const int Transactions = 60;
    private const int MessagesEach = 5;

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Consumed_messages_are_published_in_order() => await PublishFromConsumersAsync(null, Transactions);

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task Consumed_messages_are_published_in_order_through_RabbitMQ()
    {
        await using var virtualHost = await servers.CreateVirtualHostAsync();
        await PublishFromConsumersAsync(virtualHost.Uri, Transactions / 2);
    }

    [Fact]
    public async Task Two_processes_relay_in_order_and_nothing_twice()
    {
        var arrivals = new Arrivals();
        var setup = new ProcessSetup { Arrivals = arrivals, Outbox = outbox => outbox.QueryMessageLimit = 20 };
        await StoreAsync(Transactions);

        await using var first = await TestProcess.StartAsync(_database, setup);
        await using var second = await TestProcess.StartAsync(_database, setup);

        await _database.OutboxIsEmptyAsync();
        await arrivals.CountAsync(Transactions * MessagesEach);
        AssertInOrder(arrivals, Transactions);
    }

    [Fact]
    public async Task Two_processes_relay_in_order_through_RabbitMQ()
    {
        await using var virtualHost = await servers.CreateVirtualHostAsync();
        var setup = new ProcessSetup
        {
            RabbitMq = virtualHost.Uri,
            Outbox = outbox => outbox.QueryMessageLimit = 20,
            ConfirmsAreAwaited = true,
        };
        await StoreAsync(Transactions / 2, virtualHost.Uri);

        // One of them consumes: two consumers of a queue have no common order.
        await using var first = await TestProcess.StartAsync(_database, setup);
        await using var second = await TestProcess.StartAsync(_database, setup with { Consumes = false });

        await _database.OutboxIsEmptyAsync();
        await AssertInOrderAsync(first.Arrivals, Transactions / 2);
    }

    private async Task PublishFromConsumersAsync(Uri? rabbitMq, int transactions)
    {
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup { RabbitMq = rabbitMq, ConfirmsAreAwaited = true }
        );
        process.Script.Work = async (context, _) =>
        {
            for (var number = 0; number < MessagesEach; number++)
                await context.Publish(new WorkDone(context.Message.Name, number));
        };
        await Task.WhenAll(
            Enumerable.Range(0, transactions).Select(transaction => process.SendAsync(new Work($"{transaction}", 0)))
        );

        await AssertInOrderAsync(process.Arrivals, transactions);
        await _database.OutboxIsEmptyAsync();
    }

    private async Task StoreAsync(int transactions, Uri? rabbitMq = null)
    {
        var setup = new ProcessSetup { RabbitMq = rabbitMq, Relays = false };
        await using var producer = await TestProcess.StartAsync(_database, setup);
        await Parallel.ForAsync(
            0,
            transactions,
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (transaction, _) => await producer.PublishStoredAsync($"{transaction}", MessagesEach)
        );
    }

    // A broker may deliver a message again.
    private static async Task AssertInOrderAsync(Arrivals arrivals, int transactions)
    {
        await Eventually.EqualAsync(
            transactions * MessagesEach,
            () => arrivals.All.DistinctBy(arrival => arrival.MessageId).Count()
        );
        AssertInOrder(arrivals, transactions);
    }

    private static void AssertInOrder(Arrivals arrivals, int transactions) =>
        Assert.All(
            Enumerable.Range(0, transactions),
            transaction => Assert.Equal(Enumerable.Range(0, MessagesEach), arrivals.DistinctNumbersOf($"{transaction}"))
        );
}
