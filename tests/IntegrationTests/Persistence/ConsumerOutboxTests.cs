using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Effects and outgoing messages of a consumer are atomic, and happen once.</summary>
public sealed class ConsumerOutboxTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_consumer_that_throws_after_it_published_leaves_nothing()
    {
        await using var process = await TestProcess.StartAsync(_database);
        process.Script.Work = async (context, db) =>
        {
            await Script.EffectAndMessageAsync(context, db);
            await db.SaveChangesAsync();
            throw new InvalidOperationException("after it published");
        };
        await process.SendAsync(new Work("thrown", 1));
        await process.Arrivals.FaultsAsync(1);

        Assert.Equal(0, await _database.CountAsync("effect"));
        Assert.Equal(0, await _database.CountAsync("inbox_state"));
        Assert.Equal(0, await _database.CountAsync("outbox_message"));

        // The next message shows that the first one does not arrive later either.
        process.Script.Work = Script.EffectAndMessageAsync;
        await process.SendAsync(new Work("done", 2));
        await process.Arrivals.CountAsync("done", 1);
        Assert.Empty(process.Arrivals.NumbersOf("thrown"));
    }

    [Fact]
    public async Task A_message_delivered_again_later_has_no_second_effect()
    {
        await using var process = await TestProcess.StartAsync(_database);
        var messageId = NewId.NextGuid();
        await process.SendAsync(new Work("again", 1), messageId);
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        await process.SendAsync(new Work("again", 1), messageId);
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 2);

        await AssertOnceAsync(process, "again");
    }

    [Fact]
    public async Task A_message_delivered_twice_at_once_has_one_effect()
    {
        await using var process = await TestProcess.StartAsync(_database);
        var consuming = new TaskCompletionSource();
        var resume = new TaskCompletionSource();
        process.Script.Work = async (context, db) =>
        {
            await Script.EffectAndMessageAsync(context, db);
            consuming.TrySetResult();
            await resume.Task;
        };
        var messageId = NewId.NextGuid();
        await process.SendAsync(new Work("twice", 1), messageId);
        await process.SendAsync(new Work("twice", 1), messageId);
        await consuming.Task;
        await Eventually.EqualAsync(
            1,
            () => _database.CountAsync("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        );
        resume.SetResult();
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 2);

        await AssertOnceAsync(process, "twice");
    }

    [Fact]
    public async Task A_failed_statement_fails_the_consumer_even_if_it_hides_the_failure()
    {
        // Postgres answers COMMIT of a failed transaction with a rollback and no error: the message must not count as consumed.
        await using var process = await TestProcess.StartAsync(_database);
        process.Script.Work = async (_, db) =>
        {
            db.Add(new Effect { Name = "hidden" });
            await db.SaveChangesAsync();
            try
            {
                await db.Database.ExecuteSqlRawAsync("SELECT 1 / 0");
            }
            catch (Npgsql.PostgresException) { }
        };
        await process.SendAsync(new Work("hidden", 1));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);

        await process.Arrivals.FaultsAsync(1);
        Assert.Equal(0, await _database.CountAsync("effect"));
    }

    [Fact]
    public async Task Messages_without_effect_and_effects_without_message_are_kept_too()
    {
        await using var process = await TestProcess.StartAsync(_database);
        process.Script.Work = (context, db) =>
        {
            if (context.Message.Number == 1)
                return context.Publish(new WorkDone("message", 1));
            db.Add(new Effect { Name = "effect" });
            return Task.CompletedTask;
        };
        await process.SendAsync(new Work("message", 1));
        await process.SendAsync(new Work("effect", 2));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 2);

        await process.Arrivals.CountAsync("message", 1);
        Assert.Equal(1, await _database.CountAsync("effect"));
        Assert.Equal(2, await _database.CountAsync("inbox_state"));
    }

    private async Task AssertOnceAsync(TestProcess process, string name)
    {
        await _database.OutboxIsEmptyAsync();
        await process.SendAsync(new Work("last", 1));
        await process.Arrivals.CountAsync("last", 1);
        Assert.Single(process.Arrivals.NumbersOf(name));
        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT count(*) FROM effect WHERE name = $1", name));
        Assert.Empty(process.Arrivals.Faults);
    }
}
