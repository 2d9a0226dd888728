using Npgsql;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>A process is killed, or its session, at each step of a file's way from the watched folder to <c>done</c>; every row
/// is sent once.</summary>
public sealed class ClaimKillTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const int Rows = 60;

    /// <summary>The steps at which a reader is held: the table that it writes, when, and of which rows.</summary>
    public static TheoryData<string, string, string> Steps { get; } =
        new()
        {
            { "file", "BEFORE INSERT", "true" }, // claimed; no state row
            { "alert_file_rows", "BEFORE INSERT", "true" }, // state row; nothing read
            { "alert_file_rows", "BEFORE UPDATE", "NEW.sent_before IS NOT NULL AND OLD.sent_before IS NULL" },
            { "file_progress", "BEFORE UPDATE", "NEW.rows > 20" }, // half read
            { "file", "BEFORE UPDATE", "NEW.state = 'completed'" }, // read; not completed
        };

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Every_row_is_sent_once_wherever_its_reader_is_killed(string table, string events, string condition)
    {
        await using var system = await StoppedAsync();
        var postgres = system.Services.Settings["ConnectionStrings:Postgres"]!;
        await AdvisoryLockGate.BuildAsync(postgres, table, events, condition, forEachRow: true);
        await using (var gate = await AdvisoryLockGate.CloseAsync(postgres))
        {
            using var process = HostProcess.Start(system.Services.Settings);
            Drop(system);
            await gate.ReachedAsync();
            Assert.Single(Directory.GetFiles(Path.Combine(system.Folder, "working"), "users.csv", SearchOption.AllDirectories));
        }

        await system.Services.StartAsync();
        await AssertSentOnceAsync(system);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Every_row_is_sent_once_wherever_its_reader_loses_the_database(string table, string events, string condition)
    {
        await using var system = await StoppedAsync();
        await AdvisoryLockGate.BuildAsync(
            system.Services.Settings["ConnectionStrings:Postgres"]!,
            table,
            events,
            condition,
            forEachRow: true
        );
        await system.Services.StartAsync();
        await using (var gate = await AdvisoryLockGate.CloseAsync(system.Services.Settings["ConnectionStrings:Postgres"]!))
        {
            Drop(system);
            await gate.ReachedAsync();
            await system.Services.ExecuteAsync(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            );
        }

        await AssertSentOnceAsync(system);
    }

    [Fact]
    public async Task Every_row_is_sent_once_when_its_reader_is_killed_between_the_end_of_the_file_and_its_move()
    {
        await using var system = await StoppedAsync();
        var postgres = system.Services.Settings["ConnectionStrings:Postgres"]!;
        await AdvisoryLockGate.BuildAsync(postgres, "file", "BEFORE UPDATE", "NEW.state = 'completed'", forEachRow: true);
        await using var database = NpgsqlDataSource.Create(postgres);
        await using var blocker = await database.OpenConnectionAsync();
        await using var transaction = await blocker.BeginTransactionAsync();
        using (var process = HostProcess.Start(system.Services.Settings))
        {
            await using (var gate = await AdvisoryLockGate.CloseAsync(postgres))
            {
                Drop(system);
                await gate.ReachedAsync();
                // Its rejected rows are read after the file is completed, and before it is moved.
                await using var block = new NpgsqlCommand(
                    "LOCK TABLE file_reject IN ACCESS EXCLUSIVE MODE",
                    blocker,
                    transaction
                );
                await block.ExecuteNonQueryAsync();
            }
            await system.Services.WaitForAsync("SELECT state FROM file", "completed");
            await system.Services.WaitForAsync(
                "SELECT count(*) FROM pg_locks WHERE relation = 'file_reject'::regclass AND NOT granted",
                1L
            );
        }
        await transaction.RollbackAsync();

        await system.Services.StartAsync();
        await AssertSentOnceAsync(system);
    }

    private static void Drop(AlertSystem system) =>
        system.Drop("users.csv", Enumerable.Range(1, Rows).Select(number => $"{number},m{number}").Append("no message"));

    private async Task<AlertSystem> StoppedAsync()
    {
        var system = await AlertSystem.StartAsync(
            servers,
            new { perSecond = 0 },
            ("Alerts:MaxRowsAhead", "10"),
            // What the killed process had in flight is due again soon.
            ("Alerts:Calls:CallTimeout", "00:00:10"),
            ("Alerts:Calls:LeaseMargin", "00:00:02"),
            ("Alerts:RetrySchedule", string.Join(',', Enumerable.Repeat("00:00:00.2", 30)))
        );
        await system.Services.StopAsync();
        return system;
    }

    private static async Task AssertSentOnceAsync(AlertSystem system)
    {
        await system.UntilMovedAsync("done/users.csv");
        await system.WaitForStateAsync("delivered", Rows);

        var alerted = await system.AlertedAsync();
        Assert.Equal(Enumerable.Range(1, Rows), alerted.Select(record => int.Parse(record.UserId!, null)).Order());
        Assert.Equal(
            $"completed {Rows} 1",
            await system.Services.QueryAsync<string>("SELECT concat_ws(' ', state, rows, rejected) FROM alert_files_overview")
        );
        Assert.Contains(
            "no message",
            await File.ReadAllTextAsync(Path.Combine(system.Folder, "done", "users.csv.rejects.csv")),
            StringComparison.Ordinal
        );
        await Eventually.EqualAsync(0, () => Directory.GetFileSystemEntries(Path.Combine(system.Folder, "working")).Length);
    }
}
