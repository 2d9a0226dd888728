using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Sagas.Persistence;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>A transaction outside a consumer that is committed together with its messages.</summary>
public sealed class OutboxCommitTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private readonly FakeTimeProvider _timeProvider = new(DateTimeOffset.UtcNow);

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task The_process_publishes_its_messages_without_a_relay()
    {
        await using var process = await TestProcess.StartAsync(_database, new ProcessSetup { Relays = false });
        await PublishAsync(process, "mine", db => CommitAsync(process, db));

        await process.Arrivals.CountAsync("mine", 3);
        await _database.OutboxIsEmptyAsync();
    }

    [Fact]
    public async Task Nothing_is_sent_without_the_commit()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await PublishAsync(process, "not committed", _ => Task.CompletedTask);
        await PublishAsync(process, "committed", db => CommitAsync(process, db));

        await process.Arrivals.CountAsync("committed", 3);
        Assert.Empty(process.Arrivals.NumbersOf("not committed"));
    }

    [Fact]
    public async Task Without_a_transaction_it_says_so()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await process.InScopeAsync(
            async (db, _) => await Assert.ThrowsAsync<InvalidOperationException>(() => CommitAsync(process, db))
        );
    }

    [Theory]
    [InlineData(LostAnswer.ConnectionCut)]
    [InlineData(LostAnswer.ServerShutsDown)]
    public async Task Messages_whose_commit_is_not_confirmed_are_sent(LostAnswer answer)
    {
        await using var proxy = new PostgresProxy(_database.ConnectionString);
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup { Postgres = proxy.ConnectionString, TimeProvider = _timeProvider }
        );
        await PublishAsync(
            process,
            "in doubt",
            async db =>
            {
                var backend = await db.Database.SqlQueryRaw<int>("SELECT pg_backend_pid() AS \"Value\"").SingleAsync();
                proxy.LoseAnswerToCommit(backend, answer);
                await Assert.ThrowsAnyAsync<Exception>(() => CommitAsync(process, db));
            }
        );

        await Eventually.EqualAsync(
            3,
            () =>
            {
                _timeProvider.Advance(TimeSpan.FromSeconds(1));
                return process.Arrivals.NumbersOf("in doubt").Distinct().Count();
            }
        );
        Assert.Equal(1, proxy.Lost);
        await _database.OutboxIsEmptyAsync();
    }

    private static Task CommitAsync(TestProcess process, OrdersDbContext db) =>
        process.Services.GetRequiredService<OutboxCommit>().CommitAsync(db);

    private static Task PublishAsync(TestProcess process, string name, Func<OrdersDbContext, Task> commit) =>
        process.InScopeAsync(
            async (db, publish) =>
            {
                await using var transaction = await db.Database.BeginTransactionAsync();
                for (var number = 0; number < 3; number++)
                    await publish.Publish(new WorkDone(name, number));
                await commit(db);
            }
        );
}
