using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Sagas.Persistence;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Committed messages reach the broker, even if the process that committed them is killed.</summary>
public sealed class RelayTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private static readonly ProcessSetup _storesOnly = new() { Relays = false, Consumes = false };

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Messages_of_a_dead_process_are_sent_with_their_ids_and_in_order()
    {
        await StoreAsync("dead", 5);
        Assert.Equal(5, await _database.AssignOutboxToDeadProcessAsync());
        var stored = await _database.ColumnAsync<Guid>("SELECT message_id FROM outbox_message ORDER BY position");

        await using var process = await TestProcess.StartAsync(_database);
        await process.Arrivals.CountAsync(5);

        Assert.Equal(stored, process.Arrivals.All.Select(arrival => arrival.MessageId));
        Assert.Equal([0, 1, 2, 3, 4], process.Arrivals.NumbersOf("dead"));
    }

    [Fact]
    public async Task Messages_of_a_process_that_stops_before_it_has_sent_them_are_sent_by_another()
    {
        var broker = new TaskCompletionSource();
        await using var stopping = await TestProcess.StartAsync(_database, new ProcessSetup { Sending = _ => broker.Task });
        await stopping.SendAsync(new Work("unsent", 1));
        await Eventually.EqualAsync(1, () => _database.CountAsync("outbox_message"));
        var stored = await _database.ScalarAsync<Guid>("SELECT message_id FROM outbox_message");
        var stop = stopping.StopAsync();
        broker.SetCanceled();
        await stop;

        await using var other = await TestProcess.StartAsync(_database);
        await other.Arrivals.CountAsync(1);
        Assert.Equal(stored, other.Arrivals.All[0].MessageId);
        Assert.Empty(stopping.Arrivals.All);
    }

    [Fact]
    public async Task A_consumer_that_ends_after_its_process_has_released_its_outbox_loses_no_message()
    {
        var published = new TaskCompletionSource();
        var resume = new TaskCompletionSource();
        await using var stopping = await TestProcess.StartAsync(_database, new ProcessSetup { Relays = false });
        stopping.Script.Work = async (context, db) =>
        {
            await Script.EffectAndMessageAsync(context, db);
            published.SetResult();
            await resume.Task;
        };
        await stopping.SendAsync(new Work("late", 1));
        await published.Task;
        // As when the consumer runs longer than the shutdown timeout.
        await stopping.Services.GetRequiredService<OutboxInstance>().StopAsync(CancellationToken.None);
        Assert.Equal(0, await _database.CountAsync("outbox_instance"));
        resume.SetResult();
        await stopping.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        await stopping.StopAsync();
        Assert.Equal(1, await _database.CountAsync("effect"));
        Assert.Equal(1, await _database.CountAsync("outbox_message"));

        await using var other = await TestProcess.StartAsync(_database);
        await other.Arrivals.CountAsync("late", 1);
        await _database.OutboxIsEmptyAsync();
    }

    [Fact]
    public async Task A_process_that_loses_its_outbox_during_a_consumer_sends_all_of_its_messages_in_order()
    {
        var timeProvider = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var process = await TestProcess.StartAsync(_database, new ProcessSetup { TimeProvider = timeProvider });
        var owner = process.Services.GetRequiredService<OutboxInstance>();
        process.Script.Work = async (context, _) =>
        {
            await context.Publish(new WorkDone("held", 0));
            await using (var blocker = new Npgsql.NpgsqlConnection(_database.ConnectionString))
            {
                // Heartbeats fail while the table is locked.
                await blocker.OpenAsync();
                await using var transaction = await blocker.BeginTransactionAsync();
                await using var lockState = new Npgsql.NpgsqlCommand("LOCK TABLE outbox_instance", blocker);
                await lockState.ExecuteNonQueryAsync();
                timeProvider.Advance(TimeSpan.FromSeconds(4));
                Assert.Null(owner.OutboxId);
                await context.Publish(new WorkDone("held", 1));
            }

            await Eventually.TrueAsync(
                "the process owns an outbox",
                () =>
                {
                    timeProvider.Advance(TimeSpan.FromSeconds(1));
                    return owner.OutboxId is not null;
                }
            );
            await context.Publish(new WorkDone("held", 2));
        };
        await process.SendAsync(new Work("held", 1));

        await process.Arrivals.CountAsync("held", 3);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal([0, 1, 2], process.Arrivals.NumbersOf("held"));
    }

    [Fact]
    public async Task A_message_that_cannot_be_sent_stays_with_its_error_and_delays_no_other()
    {
        await StoreAsync("unsendable");
        var unsendable = await _database.ScalarAsync<Guid>("SELECT message_id FROM outbox_message");
        await StoreAsync("good", 3);
        var rejects = true;
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Sending = context =>
                    rejects && context.MessageId == unsendable
                        ? throw new InvalidOperationException("Not this one.")
                        : Task.CompletedTask,
            }
        );

        await process.Arrivals.CountAsync("good", 3);
        await Eventually.EqualAsync(
            1,
            () => _database.CountAsync("outbox_message WHERE attempts > 1 AND last_error = 'Not this one.'")
        );
        await Eventually.EqualAsync(1, () => _database.CountAsync("outbox_message"));

        rejects = false;
        await process.Arrivals.CountAsync("unsendable", 1);
        await _database.OutboxIsEmptyAsync();
    }

    [Fact]
    public async Task A_message_that_the_broker_rejects_at_first_is_sent_later_with_its_id_and_in_its_order()
    {
        var rejections = 3;
        var attempts = new ConcurrentQueue<Guid?>();
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Sending = context =>
                {
                    attempts.Enqueue(context.MessageId);
                    return Interlocked.Decrement(ref rejections) >= 0
                        ? throw new InvalidOperationException("Come later.")
                        : Task.CompletedTask;
                },
            }
        );
        process.Script.Work = async (context, _) =>
        {
            await context.Publish(new WorkDone("rejected", 0));
            await context.Publish(new WorkDone("rejected", 1));
        };
        await process.SendAsync(new Work("rejected", 1));

        await process.Arrivals.CountAsync("rejected", 2);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal([0, 1], process.Arrivals.NumbersOf("rejected"));
        Assert.Single(attempts.Take(4).Distinct());
        Assert.Equal(attempts.Last(), process.Arrivals.All[1].MessageId);
    }

    [Fact]
    public async Task An_expired_message_is_not_sent()
    {
        await using (var producer = await TestProcess.StartAsync(_database, _storesOnly))
        {
            await producer.InScopeAsync(
                async (db, publish) =>
                {
                    await publish.Publish(new WorkDone("expired", 0), context => context.TimeToLive = TimeSpan.FromHours(1));
                    await publish.Publish(new WorkDone("in time", 1), context => context.TimeToLive = TimeSpan.FromHours(1));
                    await db.SaveChangesAsync();
                }
            );
        }

        await _database.ExecuteAsync(
            "UPDATE outbox_message SET expiration_time = expiration_time - interval '1 hour' WHERE position = 0"
        );
        await using var process = await TestProcess.StartAsync(_database);
        await _database.OutboxIsEmptyAsync();
        await process.Arrivals.CountAsync("in time", 1);
        Assert.Empty(process.Arrivals.NumbersOf("expired"));
    }

    [Fact]
    public async Task Rows_of_dead_outbox_instances_are_removed()
    {
        await _database.ExecuteAsync(
            """
            INSERT INTO outbox_instance (outbox_id, host_name, process_id, heartbeat_at)
            VALUES (gen_random_uuid(), 'gone', 1, now() - interval '1 day')
            """
        );
        await using var process = await TestProcess.StartAsync(_database);

        await Eventually.EqualAsync(1, () => _database.CountAsync("outbox_instance"));
        Assert.Equal(Environment.ProcessId, await _database.ScalarAsync<int>("SELECT process_id FROM outbox_instance"));
    }

    [Fact]
    public async Task A_process_keeps_its_own_outbox_instance_when_its_database_stalls_after_a_heartbeat()
    {
        // As if a minute passed before its next statement.
        await _database.ExecuteAsync(
            """
            CREATE SEQUENCE renewals;
            CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM nextval('renewals');
                NEW.heartbeat_at := now() - interval '1 minute';
                RETURN NEW;
            END $$;
            CREATE TRIGGER stall BEFORE INSERT OR UPDATE ON outbox_instance FOR EACH ROW EXECUTE FUNCTION stall();
            """
        );

        var timeProvider = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var process = await TestProcess.StartAsync(_database, new ProcessSetup { TimeProvider = timeProvider });
        await Eventually.TrueAsync(
            "three heartbeats were written",
            async () =>
            {
                timeProvider.Advance(TimeSpan.FromSeconds(1));
                return await _database.CountAsync("renewals WHERE last_value >= 3") == 1;
            }
        );

        Assert.Equal(1, await _database.CountAsync("outbox_instance"));
    }

    [Fact]
    public async Task A_process_starts_while_the_host_name_of_its_database_cannot_be_resolved()
    {
        var unknown = new Npgsql.NpgsqlConnectionStringBuilder(_database.ConnectionString)
        {
            Host = "postgres.invalid",
        }.ConnectionString;
        await using var process = await TestProcess.StartAsync(_database, new ProcessSetup { Postgres = unknown });
        Assert.Null(process.Services.GetRequiredService<OutboxInstance>().OutboxId);
    }

    private async Task StoreAsync(string name, int count = 1)
    {
        await using var producer = await TestProcess.StartAsync(_database, _storesOnly);
        await producer.PublishStoredAsync(name, count);
    }
}
