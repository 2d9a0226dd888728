using MassTransit;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Consumers whose rows are written with the commit of their group.</summary>
public sealed class CommitStatementTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private const int Messages = 24;

    private readonly CommitStatement<Work> _insert = new(works => new NpgsqlBatchCommand(
        "INSERT INTO effect (name, number) SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING"
    )
    {
        Parameters =
        {
            new NpgsqlParameter<string[]> { TypedValue = [.. works.Select(work => work.Name)] },
            new NpgsqlParameter<int[]> { TypedValue = [.. works.Select(work => work.Number)] },
        },
    });

    private PersistenceDatabase _database = null!;
    private int _alone;
    private int _runs;

    public async Task InitializeAsync()
    {
        _database = await PersistenceDatabase.CreateAsync(servers);
        await _database.ExecuteAsync("CREATE UNIQUE INDEX ON effect (name)");
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Rows_of_messages_that_wait_are_written_together()
    {
        await using var process = await StartAsync();
        await SendTogetherAsync(process, Enumerable.Range(1, Messages).Select(number => new Work($"work {number}", number)));

        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, Messages + 1);
        Assert.Equal(Messages + 1, await _database.CountAsync("effect WHERE xmin IN (SELECT xmin FROM inbox_state)"));
        // The first message is alone, and some may come to the commit when it is no longer held.
        var transactions = await _database.ScalarAsync<int>("SELECT count(DISTINCT xmin::text)::int FROM effect");
        Assert.InRange(transactions, 2, Messages / 2);
        Assert.Equal(1, _alone);
        await process.Arrivals.CountAsync(Messages + 1);
    }

    [Fact]
    public async Task A_row_that_exists_is_left_to_its_consumer_and_the_others_are_written()
    {
        await using var process = await StartAsync();
        await _database.ExecuteAsync("INSERT INTO effect (name, number) VALUES ('work 7', 0)");
        await SendTogetherAsync(process, Enumerable.Range(1, Messages).Select(number => new Work($"work {number}", number)));

        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, Messages + 1);
        Assert.Equal(2, _alone);
        Assert.Equal(Messages + 1, await _database.CountAsync("effect"));
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT number FROM effect WHERE name = 'work 7'"));
        Assert.Equal(Messages + 1, await _database.CountAsync("inbox_state"));
        await process.Arrivals.CountAsync(Messages + 1);
        Assert.Empty(process.Arrivals.Faults);
    }

    [Fact]
    public async Task A_message_delivered_again_is_skipped_before_its_consumer_runs()
    {
        await using var process = await StartAsync();
        var messageId = NewId.NextGuid();
        await process.SendAsync(new Work("twice", 1), messageId);
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 2);
        var runs = 0;
        process.Script.Work = (_, _) =>
        {
            runs++;
            return Task.CompletedTask;
        };
        await process.SendAsync(new Work("twice", 1), messageId);
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 3);

        Assert.Equal(0, runs);
        Assert.Equal(2, await _database.CountAsync("effect"));
    }

    // With one message consumed, from which on the consumer's messages share transactions.
    private async Task<TestProcess> StartAsync()
    {
        var process = await TestProcess.StartAsync(_database);
        process.Script.Work = async (context, db) =>
        {
            await context.Publish(new WorkDone(context.Message.Name, context.Message.Number));
            var isAdded = context.TryAddToCommit(_insert, context.Message);
            Interlocked.Increment(ref _runs);
            if (isAdded)
                return;
            Interlocked.Increment(ref _alone);
            if (!db.Set<Effect>().Any(effect => effect.Name == context.Message.Name))
                db.Add(new Effect { Name = context.Message.Name, Number = context.Message.Number });
        };
        await process.SendAsync(new Work("first", 0));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        return process;
    }

    private async Task SendTogetherAsync(TestProcess process, IEnumerable<Work> works)
    {
        await using (await _database.HoldCommitsAsync())
        {
            foreach (var work in works)
                await process.SendAsync(work);
            await _database.CommitsAreHeldAsync();
            await Eventually.TrueAsync("all consumers have run", () => Volatile.Read(ref _runs) > Messages);
        }
    }
}
