using Sagas.Cli.Generate;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary><c>sagas files ingest</c> and alerts' files when Postgres becomes unavailable.</summary>
[Collection(nameof(KillableServers))]
public sealed class PostgresOutageTests(KillableServers servers) : IAsyncLifetime
{
    // Several batches for each partition.
    private const int Rows = 60_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-outage-").FullName;
    private TestDatabase _database = null!;

    private string Customers => Path.Combine(_folder, "customers.csv");

    public async Task InitializeAsync() => _database = await servers.CreateDatabaseAsync("outage");

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [PrivateServersFact]
    public async Task Ingest_waits_for_Postgres_and_continues_and_Ctrl_C_ends_the_wait()
    {
        await AdvisoryLockGate.BuildAsync(
            _database.ConnectionString,
            "file_progress",
            "BEFORE UPDATE",
            "OLD.rows > 0",
            forEachRow: true
        );
        await WriteCustomersAsync();
        var stopped = await IngestAcrossOutageAsync(during: ingest => ingest.StopAsync());
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("interrupted. `sagas files resume` continues", stopped.Output, StringComparison.Ordinal);

        var done = await IngestAcrossOutageAsync(during: _ => Task.CompletedTask);
        Assert.True(done.ExitCode == 0, done.Error);
        Assert.Contains("Postgres is available again; continuing.", done.Error, StringComparison.Ordinal);
        Assert.Contains("60,000 rows: 60,000 new, 0 changed, 0 unchanged, 0 rejected", done.Output, StringComparison.Ordinal);
        Assert.Equal(Rows, await CountAsync("SELECT count(*) FROM customer_state WHERE version = 1"));
        Assert.Equal(Rows, await CountAsync("SELECT count(*) FROM saga_history"));
    }

    [PrivateServersFact]
    public async Task Alerts_of_a_file_wait_for_Postgres_too_and_each_is_entered_once()
    {
        var alerts = Path.Combine(_folder, "alerts.csv");
        await File.WriteAllLinesAsync(alerts, Enumerable.Range(1, 500).Select(number => $"{number},Order has been placed"));
        await using var alert = RunningCommand.Start(
            _database.ConnectionString,
            "files",
            "ingest",
            "--kind",
            "alerts",
            alerts,
            "--follow"
        );
        await Eventually.TrueAsync(
            "the first alerts are entered",
            async () => alert.ExitCode.IsCompleted || await CountAsync("SELECT count(*) FROM outbound_call") > 0
        );

        await DuringOutageAsync(() => alert.SaysAsync("waiting to reconnect"));
        await alert.SaysAsync("Postgres is available again; continuing.");
        // The services would fail with this server and do not run: SQL delivers the alerts, so that the file is read to its end.
        await Eventually.TrueAsync(
            "the file is read to its end",
            async () =>
            {
                await QueryAsync<object>(
                    _database.ConnectionString,
                    "UPDATE outbound_call SET state = 'done', finished_at = now() WHERE state = 'waiting'"
                );
                return alert.ExitCode.IsCompleted;
            }
        );

        var done = await alert.EndsAsync();
        Assert.True(done.ExitCode == 0, done.Error);
        Assert.Contains("alerts.csv: 500 rows: 500 delivered, 0 waiting", done.Output, StringComparison.Ordinal);
        Assert.Equal(500, await CountAsync("SELECT count(DISTINCT request ->> 'userId') FROM outbound_call"));
    }

    [PrivateServersFact]
    public async Task Ingest_that_has_not_begun_fails_when_Postgres_is_unavailable()
    {
        await File.WriteAllTextAsync(Customers, "id\n1\n");
        await DuringOutageAsync(async () =>
        {
            await using var ingest = RunningCommand.Start(_database.ConnectionString, "files", "ingest", Customers);
            var run = await ingest.EndsAsync();

            Assert.Equal(3, run.ExitCode);
            Assert.StartsWith("Cannot connect to Postgres at ", run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("waiting to reconnect", run.Error, StringComparison.Ordinal);
        });
    }

    private async Task WriteCustomersAsync()
    {
        await using var file = File.Create(Customers);
        new CustomerFile(1, 0).Write(file, Rows, CancellationToken.None);
    }

    // Some rows are committed, and more wait at the gate when Postgres is killed.
    private async Task<CommandLineRun> IngestAcrossOutageAsync(Func<RunningCommand, Task> during)
    {
        await using var gate = await AdvisoryLockGate.CloseAsync(_database.ConnectionString);
        await using var ingest = RunningCommand.Start(_database.ConnectionString, "files", "ingest", Customers);
        await Eventually.TrueAsync(
            "rows wait at the gate",
            async () => ingest.ExitCode.IsCompleted || await gate.CountWaitingAsync() > 0
        );
        Assert.False(ingest.ExitCode.IsCompleted, ingest.Error);
        await DuringOutageAsync(async () =>
        {
            await ingest.SaysAsync("waiting to reconnect");
            await during(ingest);
        });
        return await ingest.EndsAsync();
    }

    private async Task DuringOutageAsync(Func<Task> act)
    {
        await servers.Postgres.KillAsync();
        try
        {
            await act();
        }
        finally
        {
            await servers.Postgres.StartAgainAsync();
        }
    }

    private Task<long> CountAsync(string sql) => QueryAsync<long>(_database.ConnectionString, sql);
}
