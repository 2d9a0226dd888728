using MassTransit;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>The effects of a saga happen once, although its inbox row is written with the commit.</summary>
public sealed class SagaOutboxTests(ServersFixture servers) : SagaOutboxSpecification(servers, grouped: false);

/// <summary>The same where messages share transactions.</summary>
public sealed class GroupedSagaOutboxTests(ServersFixture servers) : SagaOutboxSpecification(servers, grouped: true);

public abstract class SagaOutboxSpecification(ServersFixture servers, bool grouped)
    : IClassFixture<ServersFixture>,
        IAsyncLifetime
{
    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_saga_that_throws_leaves_nothing()
    {
        await using var process = await StartAsync();
        process.Script.Order = _ => throw new InvalidOperationException("after it published");
        await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);

        foreach (var table in new[] { "order_state", "inbox_state", "outbox_message", "saga_transition" })
            Assert.Equal(0, await _database.CountAsync(table));
        Assert.Empty(process.Arrivals.All);
    }

    [Fact]
    public async Task An_event_delivered_again_later_changes_nothing()
    {
        await using var process = await StartAsync();
        var order = await PlaceAsync(process);
        var messageId = NewId.NextGuid();
        await process.SendOrderAsync(new OrderCounted(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 2);
        await process.SendOrderAsync(new OrderCounted(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 3);

        await AssertCountAsync(process, order, 2);
    }

    [Fact]
    public async Task A_saga_is_created_once_when_its_first_event_is_delivered_again()
    {
        await using var process = await StartAsync();
        var order = NewId.NextGuid();
        var messageId = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        await process.SendOrderAsync(new OrderPlaced(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 2);

        await AssertCountAsync(process, order, 1);
    }

    [Theory]
    [InlineData(ConcurrencyMode.Optimistic)]
    [InlineData(ConcurrencyMode.Pessimistic)]
    public async Task An_event_delivered_many_times_at_once_counts_once(ConcurrencyMode mode)
    {
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Grouped = grouped,
                Repository = repository => repository.ConcurrencyMode = mode,
                Endpoint = endpoint => endpoint.UseMessageRetry(retry => retry.Immediate(20)),
            }
        );
        var order = await PlaceAsync(process);
        var messageId = NewId.NextGuid();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => process.SendOrderAsync(new OrderCounted(order), messageId)));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 11);

        await AssertCountAsync(process, order, 2);
    }

    [Fact]
    public async Task An_event_delivered_again_is_skipped_by_a_saga_that_no_longer_accepts_it()
    {
        await using var process = await StartAsync();
        var order = await PlaceAsync(process);
        var messageId = NewId.NextGuid();
        await process.SendOrderAsync(new OrderCounted(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 2);
        await process.SendOrderAsync(new OrderClosed(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 3);

        await process.SendOrderAsync(new OrderCounted(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 4);
        Assert.Empty(process.Arrivals.Faults);

        // A new message fails, so the repeated one was recognised.
        await process.SendOrderAsync(new OrderCounted(order));
        await process.Arrivals.FaultsAsync(1);
        await AssertCountAsync(process, order, 2);
    }

    [Fact]
    public async Task An_event_delivered_again_does_not_recreate_a_completed_saga()
    {
        await using var process = await StartAsync();
        var order = NewId.NextGuid();
        var messageId = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        await process.SendOrderAsync(new OrderClosed(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 2);
        await process.SendOrderAsync(new OrderClosed(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 3);
        Assert.Equal(0, await _database.CountAsync("order_state"));

        await process.SendOrderAsync(new OrderPlaced(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 4);

        Assert.Equal(0, await _database.CountAsync("order_state"));
        Assert.Equal(0, await _database.CountAsync("order_line"));
        await _database.OutboxIsEmptyAsync();
        await process.PublishStoredAsync("last");
        await process.Arrivals.CountAsync("last", 1);
        Assert.Single(process.Arrivals.NumbersOf("counted"));
    }

    private Task<TestProcess> StartAsync() => TestProcess.StartAsync(_database, new ProcessSetup { Grouped = grouped });

    private static async Task<Guid> PlaceAsync(TestProcess process)
    {
        var order = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        return order;
    }

    private async Task AssertCountAsync(TestProcess process, Guid order, int count)
    {
        await _database.OutboxIsEmptyAsync();
        await process.PublishStoredAsync("last");
        await process.Arrivals.CountAsync("last", 1);
        Assert.Equal(count, await _database.ScalarAsync<int>("SELECT count FROM order_state WHERE correlation_id = $1", order));
        Assert.Equal(grouped ? 0 : count, await _database.CountAsync("order_line"));
        Assert.Equal(count, await _database.CountAsync("saga_transition WHERE event <> 'OrderClosed'"));
        Assert.Equal(Enumerable.Range(1, count), process.Arrivals.NumbersOf("counted").Order());
    }
}
