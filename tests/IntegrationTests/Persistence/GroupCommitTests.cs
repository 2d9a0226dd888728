using MassTransit;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Messages that are consumed at the same time share a transaction, and none has to do with another.</summary>
public sealed class GroupCommitTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private const int Orders = 24;

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Messages_that_wait_for_a_commit_share_the_next_one()
    {
        await using var process = await StartAsync();
        await PlaceTogetherAsync(process);

        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders);
        // Some may come to the commit when it is no longer held.
        Assert.InRange(await TransactionsAsync(), 1, Orders / 2);
        Assert.Equal(Orders, await _database.CountAsync("order_state o WHERE o.xmin IN (SELECT xmin FROM inbox_state)"));
        await AllCountedOnceAsync(process, Orders);
    }

    [Fact]
    public async Task A_group_may_be_limited_to_one_message()
    {
        await using var process = await StartAsync(setup => setup with { Outbox = outbox => outbox.MaxGroupSize = 1 });
        await PlaceAsync(process, Orders);

        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders);
        Assert.Equal(Orders, await TransactionsAsync());
        await AllCountedOnceAsync(process, Orders);
    }

    [Fact]
    public async Task A_saga_that_throws_leaves_the_others_alone()
    {
        await using var process = await StartAsync();
        var failing = NewId.NextGuid();
        process.Script.Order = context =>
            context.Saga.CorrelationId == failing
                ? throw new InvalidOperationException("after it published")
                : Task.CompletedTask;
        await PlaceTogetherAsync(process, failing);

        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders + 1);
        await AllCountedOnceAsync(process, Orders);
        Assert.Equal(0, await _database.CountAsync($"order_state WHERE correlation_id = '{failing}'"));
    }

    [Fact]
    public async Task A_message_consumed_before_does_not_keep_the_others_from_their_commit()
    {
        await using var process = await StartAsync();
        var messageId = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        await using (await _database.HoldCommitsAsync())
        {
            await PlaceAsync(process, Orders);
            await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()), messageId);
            await _database.CommitsAreHeldAsync(2);
        }

        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders + 2);
        await AllCountedOnceAsync(process, Orders + 1);
        Assert.Empty(process.Arrivals.Faults);
    }

    [Fact]
    public async Task A_saga_that_another_process_has_changed_meanwhile_is_loaded_again()
    {
        await using var process = await StartAsync();
        var order = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(order));
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        await using (await _database.HoldCommitsAsync())
        {
            await process.SendOrderAsync(new OrderCounted(order));
            await PlaceAsync(process, Orders);
            await _database.CommitsAreHeldAsync(2);
            await _database.ExecuteAsync("UPDATE order_state SET count = 10 WHERE correlation_id = $1", order);
        }

        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders + 2);
        Assert.Equal(11, await _database.ScalarAsync<int>("SELECT count FROM order_state WHERE correlation_id = $1", order));
        Assert.Empty(process.Arrivals.Faults);
        await process.Arrivals.CountAsync("counted", Orders + 2);
    }

    [Fact]
    public async Task A_saga_that_another_process_creates_meanwhile_is_created_once()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        var orders = Enumerable.Range(0, Orders).Select(_ => NewId.NextGuid()).ToArray();
        await using (await _database.HoldCommitsAsync())
        {
            foreach (var order in orders)
            {
                await first.SendOrderAsync(new OrderPlaced(order));
                await second.SendOrderAsync(new OrderPlaced(order));
            }

            await _database.CommitsAreHeldAsync(4);
        }

        await first.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders);
        await second.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders);
        Assert.Equal(Orders, await _database.CountAsync("order_state WHERE count = 2"));
        Assert.Equal(2 * Orders, await _database.CountAsync("saga_transition"));
        Assert.Empty(first.Arrivals.Faults.Concat(second.Arrivals.Faults));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Code_that_uses_the_context_is_in_the_transaction_of_its_saga(bool withoutEntities)
    {
        await using var process = await StartAsync();
        var failing = NewId.NextGuid();
        process.Script.Order = async context =>
        {
            var db = (OrdersDbContext)context.GetPayload<IServiceProvider>().GetService(typeof(OrdersDbContext))!;
            if (withoutEntities)
                await InsertAsync((NpgsqlConnection)db.Database.GetDbConnection());
            else
            {
                db.Add(new Effect { Name = "effect" });
                await db.SaveChangesAsync();
            }

            if (context.Saga.CorrelationId == failing)
                throw new InvalidOperationException("after its effect");
        };
        await process.SendOrderAsync(new OrderPlaced(failing));
        await PlaceAsync(process, Orders);

        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders + 1);
        await AllCountedOnceAsync(process, Orders);
        Assert.Equal(Orders, await _database.CountAsync("effect"));
    }

    [Fact]
    public async Task Entities_that_code_adds_without_saving_are_saved_with_the_commit()
    {
        await using var process = await StartAsync();
        process.Script.Order = context =>
        {
            var db = (OrdersDbContext)context.GetPayload<IServiceProvider>().GetService(typeof(OrdersDbContext))!;
            db.Add(new Effect { Name = "effect" });
            return Task.CompletedTask;
        };
        await PlaceAsync(process, Orders);

        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, Orders);
        await AllCountedOnceAsync(process, Orders);
        Assert.Equal(Orders, await _database.CountAsync("effect"));
    }

    private static async Task InsertAsync(NpgsqlConnection connection)
    {
        if (connection.State != System.Data.ConnectionState.Open)
            await connection.OpenAsync();
        await using var command = new NpgsqlCommand("INSERT INTO effect (name, number) VALUES ('effect', 1)", connection);
        await command.ExecuteNonQueryAsync();
    }

    private Task<TestProcess> StartAsync(Func<ProcessSetup, ProcessSetup>? configure = null)
    {
        var setup = new ProcessSetup { Grouped = true };
        return TestProcess.StartAsync(_database, configure?.Invoke(setup) ?? setup);
    }

    private async Task PlaceTogetherAsync(TestProcess process, params IEnumerable<Guid> more)
    {
        await using (await _database.HoldCommitsAsync())
        {
            foreach (var order in more)
                await process.SendOrderAsync(new OrderPlaced(order));
            await PlaceAsync(process, Orders);
            await _database.CommitsAreHeldAsync();
            await Eventually.TrueAsync("all sagas have run", () => process.Script.OrdersRun >= Orders);
        }
    }

    private static async Task PlaceAsync(TestProcess process, int orders)
    {
        for (var order = 0; order < orders; order++)
            await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()));
    }

    private Task<int> TransactionsAsync() =>
        _database.ScalarAsync<int>("SELECT count(DISTINCT xmin::text)::int FROM order_state");

    private async Task AllCountedOnceAsync(TestProcess process, int orders)
    {
        await process.Arrivals.CountAsync("counted", orders);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal(orders, await _database.CountAsync("order_state WHERE count = 1"));
        Assert.Equal(orders, await _database.CountAsync("inbox_state"));
        Assert.Equal(orders, await _database.CountAsync("saga_transition"));
        Assert.Equal(Enumerable.Repeat(1, orders), process.Arrivals.NumbersOf("counted"));
    }
}
