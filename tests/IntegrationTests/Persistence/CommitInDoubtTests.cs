using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>The connection to Postgres is cut around the commit: everything still happens once.</summary>
public sealed class CommitInDoubtTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private readonly FakeTimeProvider _timeProvider = new(DateTimeOffset.UtcNow);

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_consumer_whose_connection_is_cut_before_the_commit_is_run_again()
    {
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup { Endpoint = endpoint => endpoint.UseMessageRetry(retry => retry.Immediate(5)) }
        );
        var runs = 0;
        process.Script.Work = async (context, db) =>
        {
            await Script.EffectAndMessageAsync(context, db);
            if (Interlocked.Increment(ref runs) == 1)
                await _database.ExecuteAsync("SELECT pg_terminate_backend($1)", await BackendAsync(db));
        };
        await process.SendAsync(new Work("cut", 1));

        await process.Arrivals.CountAsync("cut", 1);
        Assert.Equal(2, runs);
        await AssertOnceAsync(process, "cut");
    }

    [Theory]
    [InlineData(LostAnswer.ConnectionCut, true)]
    [InlineData(LostAnswer.ConnectionCut, false)]
    [InlineData(LostAnswer.ServerShutsDown, true)]
    [InlineData(LostAnswer.ServerShutsDown, false)]
    public async Task A_consumer_whose_commit_is_not_confirmed_has_its_effect_once_and_its_messages_are_sent(
        LostAnswer answer,
        bool retries
    )
    {
        await using var proxy = new PostgresProxy(_database.ConnectionString);
        await using var process = await TestProcess.StartAsync(_database, Setup(proxy, retries));
        var runs = 0;
        process.Script.Work = async (context, db) =>
        {
            await Script.EffectAndMessageAsync(context, db);
            await context.Publish(new WorkDone(context.Message.Name, 2));
            if (Interlocked.Increment(ref runs) == 1)
                proxy.LoseAnswerToCommit(await BackendAsync(db), answer);
        };
        await process.SendAsync(new Work("in doubt", 1));

        await ArriveAsync(process, proxy, "in doubt", 2);
        Assert.Equal(1, proxy.Lost);
        Assert.Equal([1, 2], process.Arrivals.NumbersOf("in doubt"));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        await AssertOnceAsync(process, "in doubt");
    }

    [Theory]
    [InlineData(LostAnswer.ConnectionCut, true)]
    [InlineData(LostAnswer.ConnectionCut, false)]
    [InlineData(LostAnswer.ServerShutsDown, false)]
    public async Task A_saga_whose_commit_is_not_confirmed_has_moved_once_and_its_message_is_sent(LostAnswer answer, bool retries)
    {
        await using var proxy = new PostgresProxy(_database.ConnectionString);
        await using var process = await TestProcess.StartAsync(_database, Setup(proxy, retries));
        process.Script.Order = async context =>
        {
            var db = (OrdersDbContext)context.GetPayload<IServiceProvider>().GetService(typeof(OrdersDbContext))!;
            if (proxy.Lost == 0)
                proxy.LoseAnswerToCommit(await BackendAsync(db), answer);
        };
        await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()));

        await ArriveAsync(process, proxy, "counted", 1);
        Assert.Equal(1, proxy.Lost);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 1);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal(1, await _database.ScalarAsync<int>("SELECT count FROM order_state"));
        Assert.Equal(1, await _database.CountAsync("saga_transition"));
        Assert.Empty(process.Arrivals.Faults);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sagas_whose_shared_commit_is_not_confirmed_have_moved_once_and_their_messages_are_sent(bool retries)
    {
        await using var proxy = new PostgresProxy(_database.ConnectionString);
        await using var process = await TestProcess.StartAsync(_database, Setup(proxy, retries) with { Grouped = true });
        await using (await _database.HoldCommitsAsync())
        {
            foreach (var order in Enumerable.Range(0, 8).Select(_ => NewId.NextGuid()))
                await process.SendOrderAsync(new OrderPlaced(order));
            await _database.CommitsAreHeldAsync();
            proxy.LoseAnswerToInsert();
        }

        await ArriveAsync(process, proxy, "counted", 8);
        Assert.Equal(1, proxy.Lost);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 8);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal(8, await _database.ScalarAsync<long>("SELECT sum(count) FROM order_state"));
        Assert.Equal(8, await _database.CountAsync("saga_transition"));
        Assert.Empty(process.Arrivals.Faults);
    }

    private ProcessSetup Setup(PostgresProxy proxy, bool retries) =>
        new()
        {
            Postgres = proxy.ConnectionString,
            TimeProvider = _timeProvider,
            Endpoint = endpoint =>
            {
                if (retries)
                    endpoint.UseMessageRetry(retry => retry.Immediate(5));
            },
        };

    private static Task<int> BackendAsync(OrdersDbContext db) =>
        db.Database.SqlQueryRaw<int>("SELECT pg_backend_pid() AS \"Value\"").SingleAsync();

    // A commit in doubt is looked up with the next heartbeat.
    private Task ArriveAsync(TestProcess process, PostgresProxy proxy, string name, int expected) =>
        Eventually.EqualAsync(
            expected,
            () =>
            {
                if (proxy.Lost > 0)
                    _timeProvider.Advance(TimeSpan.FromSeconds(1));
                return process.Arrivals.NumbersOf(name).Count;
            }
        );

    private async Task AssertOnceAsync(TestProcess process, string name)
    {
        await _database.OutboxIsEmptyAsync();
        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT count(*) FROM effect WHERE name = $1", name));
        Assert.Equal(1, await _database.CountAsync("inbox_state"));
        Assert.Empty(process.Arrivals.Faults);
    }
}
