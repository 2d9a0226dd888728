using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Concurrent messages for one saga, and its history.</summary>
public sealed class SagaConcurrencyTests(ServersFixture servers) : SagaConcurrencySpecification(servers, grouped: false);

/// <summary>The same where messages share transactions.</summary>
public sealed class GroupedSagaConcurrencyTests(ServersFixture servers) : SagaConcurrencySpecification(servers, grouped: true);

public abstract class SagaConcurrencySpecification(ServersFixture servers, bool grouped)
    : IClassFixture<ServersFixture>,
        IAsyncLifetime
{
    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData(ConcurrencyMode.Optimistic, false)]
    [InlineData(ConcurrencyMode.Optimistic, true)]
    [InlineData(ConcurrencyMode.Pessimistic, false)]
    [InlineData(ConcurrencyMode.Pessimistic, true)]
    public async Task Messages_for_one_saga_at_once_are_all_counted(ConcurrencyMode mode, bool customized)
    {
        var include = customized && !grouped;
        await using var process = await StartAsync(mode, include);
        var order = NewId.NextGuid();

        // The first ones race to create the saga, the others to change it.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => process.SendOrderAsync(new OrderPlaced(order))));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 8);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => process.SendOrderAsync(new OrderCounted(order))));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 16);

        Assert.Equal(16, await _database.ScalarAsync<int>("SELECT count FROM order_state"));
        await process.Arrivals.CountAsync("counted", 16);
        Assert.Equal(Enumerable.Range(1, 16), process.Arrivals.NumbersOf("counted").Order());
        Assert.Equal(16, await _database.CountAsync("saga_transition"));
        if (!include)
            return;
        var lines = await _database.ColumnAsync<int>("SELECT number FROM order_line ORDER BY number");
        Assert.Equal(Enumerable.Range(0, 16), lines);
    }

    [Fact]
    public async Task Pessimistic_concurrency_needs_no_retry_once_the_saga_exists()
    {
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Grouped = grouped,
                Repository = repository => repository.ConcurrencyMode = ConcurrencyMode.Pessimistic,
            }
        );
        var order = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => process.SendOrderAsync(new OrderCounted(order))));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 9);

        Assert.Equal(9, await _database.ScalarAsync<int>("SELECT count FROM order_state"));
        Assert.Empty(process.Arrivals.Faults);
    }

    [Fact]
    public async Task History_records_what_each_event_did()
    {
        await using var process = await StartAsync(ConcurrencyMode.Optimistic, include: false);
        var order = NewId.NextGuid();
        var ids = Enumerable.Range(0, 5).Select(_ => NewId.NextGuid()).ToArray();
        await NextAsync(new OrderPlaced(order), 0);
        await NextAsync(new OrderCounted(order), 1);
        await NextAsync(new OrderLookedAt(order), 2);
        await NextAsync(new OrderClosed(order), 3);
        await NextAsync(new OrderClosed(order), 4);

        Assert.Equal(
            [
                $"order_state  Open OrderPlaced {ids[0]}",
                $"order_state Open Open OrderCounted {ids[1]}",
                $"order_state Open Shut OrderClosed {ids[3]}",
                $"order_state Shut Final OrderClosed {ids[4]}",
            ],
            await _database.ColumnAsync<string>(
                """
                SELECT concat_ws(' ', saga, coalesce(from_state, ''), to_state, event, message_id) FROM saga_transition
                WHERE correlation_id = $1 ORDER BY id
                """,
                order
            )
        );
        Assert.Equal(0, await _database.CountAsync("saga_transition WHERE conversation_id IS NULL"));
        Assert.Equal(0, await _database.CountAsync("order_state"));

        async Task NextAsync<T>(T message, int index)
            where T : class
        {
            await process.SendOrderAsync(message, ids[index]);
            await process.Deliveries.SettledAsync(TestProcess.OrderQueue, index + 1);
        }
    }

    [Fact]
    public async Task Without_outbox_a_saga_and_its_history_are_saved()
    {
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup { SagaOutbox = false, Grouped = grouped }
        );
        var order = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        await process.SendOrderAsync(new OrderCounted(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 2);

        Assert.Equal(2, await _database.ScalarAsync<int>("SELECT count FROM order_state"));
        Assert.Equal(2, await _database.CountAsync("saga_transition"));
        Assert.Equal(0, await _database.CountAsync("inbox_state"));
        await process.Arrivals.CountAsync("counted", 2);
    }

    private Task<TestProcess> StartAsync(ConcurrencyMode mode, bool include) =>
        TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Grouped = grouped,
                Endpoint = endpoint => endpoint.UseMessageRetry(retry => retry.Immediate(100)),
                Repository = repository =>
                {
                    repository.ConcurrencyMode = mode;
                    if (include)
                        repository.CustomizeQuery(orders => orders.Include(order => order.Lines));
                },
            }
        );
}
