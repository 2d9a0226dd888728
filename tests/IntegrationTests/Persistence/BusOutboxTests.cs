using System.Collections.Concurrent;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>What is published outside a consumer belongs to the transaction of the scope's context.</summary>
public sealed class BusOutboxTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_rolled_back_transaction_sends_nothing()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await process.InScopeAsync(
            async (db, publish) =>
            {
                await using var transaction = await db.Database.BeginTransactionAsync();
                await publish.Publish(new WorkDone("rolled back", 0));
                await db.SaveChangesAsync();
                await transaction.RollbackAsync();
            }
        );
        Assert.Equal(0, await _database.CountAsync("outbox_message"));

        await process.PublishStoredAsync("committed");
        await process.Arrivals.CountAsync("committed", 1);
        Assert.Empty(process.Arrivals.NumbersOf("rolled back"));
    }

    [Fact]
    public async Task Messages_that_are_never_saved_are_not_sent()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await process.InScopeAsync((_, publish) => publish.Publish(new WorkDone("not saved", 0)));

        await process.PublishStoredAsync("saved");
        await process.Arrivals.CountAsync("saved", 1);
        Assert.Empty(process.Arrivals.NumbersOf("not saved"));
    }

    [Fact]
    public async Task Nothing_is_sent_before_the_commit_and_everything_once_and_in_order_after_it()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await process.InScopeAsync(
            async (db, publish) =>
            {
                await using var transaction = await db.Database.BeginTransactionAsync();
                for (var number = 0; number < 50; number++)
                    await publish.Publish(new WorkDone("mine", number));
                await db.SaveChangesAsync();

                await process.PublishStoredAsync("other");
                await process.Arrivals.CountAsync("other", 1);
                Assert.Empty(process.Arrivals.NumbersOf("mine"));
                await transaction.CommitAsync();
            }
        );

        await process.Arrivals.CountAsync("mine", 50);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal(Enumerable.Range(0, 50), process.Arrivals.NumbersOf("mine"));
    }

    [Fact]
    public async Task Messages_saved_step_by_step_in_one_transaction_are_sent_in_order()
    {
        // The broker rejects the first message of each transaction once; those after it wait.
        var rejected = new ConcurrentDictionary<Guid, bool>();
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Sending = context =>
                    rejected.TryRemove(context.MessageId!.Value, out _)
                        ? throw new InvalidOperationException("Later.")
                        : Task.CompletedTask,
            }
        );
        await Parallel.ForAsync(
            0,
            15,
            async (transaction, _) =>
                await process.InScopeAsync(
                    async (db, publish) =>
                    {
                        await using var own = await db.Database.BeginTransactionAsync();
                        for (var number = 0; number < 5; number++)
                        {
                            var messageId = NewId.NextGuid();
                            if (number == 0)
                                rejected[messageId] = true;
                            await publish.Publish(
                                new WorkDone($"{transaction}", number),
                                context => context.MessageId = messageId
                            );
                            await db.SaveChangesAsync();
                        }

                        await own.CommitAsync();
                    }
                )
        );

        await process.Arrivals.CountAsync(75);
        Assert.All(
            Enumerable.Range(0, 15),
            transaction => Assert.Equal([0, 1, 2, 3, 4], process.Arrivals.NumbersOf($"{transaction}"))
        );
        await _database.OutboxIsEmptyAsync();
    }

    [Fact]
    public async Task A_scope_that_continues_after_a_rollback_sends_what_it_then_commits()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await process.InScopeAsync(
            async (db, publish) =>
            {
                await using (var first = await db.Database.BeginTransactionAsync())
                {
                    await publish.Publish(new WorkDone("rolled back", 0));
                    await db.SaveChangesAsync();
                    await first.RollbackAsync();
                }

                await using var second = await db.Database.BeginTransactionAsync();
                await publish.Publish(new WorkDone("committed", 1));
                await db.SaveChangesAsync();
                await second.CommitAsync();
            }
        );

        await process.Arrivals.CountAsync("committed", 1);
        Assert.Empty(process.Arrivals.NumbersOf("rolled back"));
    }

    [Fact]
    public async Task Without_a_transaction_of_its_own_the_save_is_the_transaction()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await process.InScopeAsync(
            async (db, publish) =>
            {
                for (var number = 0; number < 10; number++)
                {
                    db.Add(new Effect { Name = "saved", Number = number });
                    await publish.Publish(new WorkDone("saved", number));
                }

                await db.SaveChangesAsync();
                await process.Arrivals.CountAsync("saved", 10);

                // The scope continues with another transaction.
                await publish.Publish(new WorkDone("saved", 10));
                await db.SaveChangesAsync();
            }
        );

        await process.Arrivals.CountAsync("saved", 11);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal(Enumerable.Range(0, 11), process.Arrivals.NumbersOf("saved"));
        Assert.Equal(10, await _database.CountAsync("effect"));
    }

    [Fact]
    public async Task Messages_can_be_sent_to_a_queue_too()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await using (var scope = process.Services.CreateAsyncScope())
        {
            var endpoint = await scope
                .ServiceProvider.GetRequiredService<ISendEndpointProvider>()
                .GetSendEndpoint(new Uri("queue:work"));
            await endpoint.Send(new Work("sent", 1));
            Assert.Equal(0, await _database.CountAsync("effect"));
            await scope.ServiceProvider.GetRequiredService<OrdersDbContext>().SaveChangesAsync();
        }

        await process.Arrivals.CountAsync("sent", 1);
    }

    [Fact]
    public async Task Without_delivery_service_the_row_stays_until_another_process_relays_it()
    {
        var timeProvider = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var producer = await TestProcess.StartAsync(
            _database,
            new ProcessSetup { Relays = false, TimeProvider = timeProvider }
        );
        await producer.PublishStoredAsync("left");
        var heartbeat = await HeartbeatAsync();
        await Eventually.TrueAsync(
            "a heartbeat is written",
            async () =>
            {
                timeProvider.Advance(TimeSpan.FromSeconds(1));
                return await HeartbeatAsync() > heartbeat;
            }
        );
        Assert.Equal(1, await _database.CountAsync("outbox_message"));

        await using var relay = await TestProcess.StartAsync(_database);
        await relay.Arrivals.CountAsync("left", 1);
        Assert.Empty(producer.Arrivals.All);

        Task<DateTime> HeartbeatAsync() => _database.ScalarAsync<DateTime>("SELECT max(heartbeat_at) FROM outbox_instance");
    }
}
