using Npgsql;
using Sagas.FileIntake.Storage;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Files that are compressed, interrupted, or larger than the receiver can take.</summary>
public sealed class AlertFileEndTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private static readonly object _unlimited = new { perSecond = 0 };

    [Fact]
    public async Task A_compressed_file_continues_where_it_stopped_after_its_reader_is_stopped_or_killed()
    {
        const int rows = 2_000;
        // The receiver takes 300 alerts and then asks for a pause of 15 minutes, during which the reader is idle.
        await using var system = await AlertSystem.StartAsync(
            servers,
            new { perSecond = 0.001, burst = 300 },
            ("Alerts:Limit:PerSecond", "600"),
            ("Alerts:MaxRowsAhead", "40"),
            ("Alerts:MaxRowsUndelivered", "400")
        );
        var content = AlertSystem.Gzip(
            "userId,alertMessage\n" + string.Concat(Enumerable.Range(1, rows).Select(number => $"{number},m{number}\n"))
        );
        system.Drop("users.csv.gz", content);

        await StopInThePauseAsync(system);
        Assert.InRange(await system.Services.QueryAsync<long>("SELECT next_offset FROM alert_files_overview"), 1000, 30_000);
        // Another process reads the file until it is killed: its lock ends with its connection.
        await using (var other = NpgsqlDataSource.Create(system.Services.Settings["ConnectionStrings:Postgres"]!))
        {
            var file = await system.Services.QueryAsync<Guid>("SELECT file_id FROM file");
            Assert.NotNull(await new FileStore(other).TryLockAsync(file, CancellationToken.None));
            var entered = await system.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview");
            // Not renamed into place: a renamed file could be read before the other.
            await File.WriteAllLinesAsync(
                Path.Combine(system.Folder, "later.csv"),
                Enumerable.Range(rows + 1, 100).Select(number => $"{number},m")
            );
            await system.Services.StartAsync();
            await system.UntilMovedAsync("done/later.csv");
            Assert.Equal(
                entered,
                await system.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview WHERE name = 'users.csv.gz'")
            );
            await system.Services.ExecuteAsync(
                $"""
                SELECT count(pg_terminate_backend(pid)) FROM pg_locks
                WHERE locktype = 'advisory' AND classid = {FileLocks.AdvisoryLock} AND granted
                """
            );
        }

        await system.UntilMovedAsync("done/users.csv.gz");
        await system.WaitForStateAsync("delivered", rows + 100);
        var alerted = await system.AlertedAsync();
        Assert.Equal(Enumerable.Range(1, rows + 100), alerted.Select(record => int.Parse(record.UserId!, null)).Order());
    }

    [Fact]
    public async Task A_huge_file_is_entered_little_by_little_and_a_later_small_one_does_not_wait_for_it()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited, ("Alerts:Limit:PerSecond", "20"));
        system.Drop("huge.csv", Enumerable.Range(1, 50_000).Select(number => $"huge-{number},x"));
        await system.Services.WaitForAsync("SELECT count(*) >= 30 FROM alert_delivery WHERE state = 'delivered'", true);

        system.Drop("small.csv", Enumerable.Range(1, 10).Select(number => $"small-{number},x"));
        await system.Services.WaitForAsync(
            "SELECT count(*) FROM alert_delivery WHERE state = 'delivered' AND file = 'small.csv'",
            10L
        );

        // At twenty a second the huge file takes forty minutes.
        Assert.InRange(
            await system.Services.QueryAsync<long>("SELECT count(*) FROM alert_delivery WHERE file = 'huge.csv'"),
            30,
            5_000
        );
        Assert.InRange(
            await system.Services.QueryAsync<long>("SELECT waiting FROM alert_files_overview WHERE name = 'huge.csv'"),
            1,
            1_000
        );
    }

    [Fact]
    public async Task While_the_receiver_accepts_nothing_no_more_rows_are_entered_than_configured()
    {
        // Each row fails at once and is due again in an hour: it leaves the rows ahead but still counts as undelivered.
        await using var system = await AlertSystem.StartAsync(
            servers,
            new { perSecond = 0, answer = 500 },
            ("Alerts:MaxRowsAhead", "20"),
            ("Alerts:MaxRowsUndelivered", "60"),
            ("Alerts:RetrySchedule", "0:0:0,1:0:0"),
            ("Alerts:Calls:BreakerMinCalls", "10000")
        );

        system.Drop("users.csv", Enumerable.Range(1, 5_000).Select(number => $"{number},m"));
        // Less than a quarter of the rows ahead is not worth a transaction.
        await system.Services.WaitForAsync(
            "SELECT count(*) > 55 FROM outbound_call WHERE due > now() + interval '30 minutes'",
            true
        );
        system.Drop("later.csv", Enumerable.Range(1, 10).Select(number => $"later-{number},m"));
        await system.UntilMovedAsync("done/later.csv");

        Assert.InRange(
            await system.Services.QueryAsync<long>("SELECT count(*) FROM alert_delivery WHERE file = 'users.csv'"),
            56,
            60
        );
        Assert.Single(Directory.GetFiles(Path.Combine(system.Folder, "working"), "users.csv", SearchOption.AllDirectories));
    }

    private static async Task StopInThePauseAsync(AlertSystem system)
    {
        await system.Services.WaitForAsync(
            "SELECT EXISTS (SELECT FROM rate_limit WHERE paused_until > now() + interval '5 minutes')",
            true
        );
        await system.Services.StopAsync();
        await system.BehaveAsync(_unlimited);
        await system.Services.ExecuteAsync(
            "UPDATE rate_limit SET paused_until = NULL, next_permit_at = now(), version = version + 1"
        );
        await system.Services.ExecuteAsync("UPDATE outbound_call SET due = now() WHERE due IS NOT NULL");
    }
}
