using System.Globalization;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sagas.Persistence;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Consumed messages are remembered for the duplicate detection window, and no longer.</summary>
public sealed class InboxCleanupTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Only_messages_older_than_the_window_are_removed()
    {
        await using var process = await StartAsync(
            new ProcessSetup { Outbox = outbox => outbox.DuplicateDetectionWindow = TimeSpan.FromHours(1) }
        );
        // More than one batch.
        await AddAsync(10_500, TimeSpan.FromMinutes(90));
        await AddAsync(100, TimeSpan.FromMinutes(30));

        Assert.Equal(10_500, await Cleanup(process)!.CleanUpAsync(CancellationToken.None));
        Assert.Equal(100, await _database.CountAsync("inbox_state"));
        Assert.Equal(0, await Cleanup(process)!.CleanUpAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Messages_are_remembered_for_a_week_by_default()
    {
        await using var process = await StartAsync(new ProcessSetup());
        await AddAsync(1, TimeSpan.FromHours(169));
        await AddAsync(1, TimeSpan.FromHours(167));

        Assert.Equal(1, await Cleanup(process)!.CleanUpAsync(CancellationToken.None));
    }

    [Fact]
    public async Task One_process_at_a_time_cleans_up()
    {
        await using var process = await StartAsync(new ProcessSetup());
        await AddAsync(10, TimeSpan.FromDays(8));
        var turn = long.Parse(InboxCleanupService.AdvisoryLock, CultureInfo.InvariantCulture);
        await using (await AdvisoryLockGate.CloseAsync(_database.ConnectionString, turn))
            Assert.Equal(0, await Cleanup(process)!.CleanUpAsync(CancellationToken.None));

        await Eventually.EqualAsync(10, () => Cleanup(process)!.CleanUpAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Cleanup_can_be_disabled()
    {
        var setup = new ProcessSetup { Outbox = outbox => outbox.DisableInboxCleanupService() };
        await using var process = await TestProcess.StartAsync(_database, setup);
        Assert.Null(Cleanup(process));
    }

    // Stopped, so that it cleans up only when the test asks, not every minute.
    private async Task<TestProcess> StartAsync(ProcessSetup setup)
    {
        var process = await TestProcess.StartAsync(_database, setup);
        await Cleanup(process)!.StopAsync(CancellationToken.None);
        return process;
    }

    private static InboxCleanupService? Cleanup(TestProcess process) =>
        process.Services.GetServices<IHostedService>().OfType<InboxCleanupService>().SingleOrDefault();

    private Task<int> AddAsync(int count, TimeSpan age) =>
        _database.ExecuteAsync(
            """
            INSERT INTO inbox_state (message_id, consumer_id, received)
            SELECT gen_random_uuid(), gen_random_uuid(), now() - $2 FROM generate_series(1, $1)
            """,
            count,
            age
        );
}
