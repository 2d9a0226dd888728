using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;
using Sagas.Cli.Generate;
using Sagas.LocalServers;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary><c>sagas ingest</c> and <c>sagas alert</c> when Postgres goes away.</summary>
public sealed class PostgresOutageTests : IAsyncLifetime
{
    private const int Rows = 60_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-outage-").FullName;
    private PrivatePostgres _postgres = null!;
    private string _database = null!;
    private NpgsqlDataSource _source = null!;

    private string Customers => Path.Combine(_folder, "customers.csv");

    public async Task InitializeAsync()
    {
        _postgres = await PrivatePostgres.StartAsync();
        _database = await _postgres.CreateDatabaseAsync("sagas");
        _source = NpgsqlDataSource.Create(_database + ";Pooling=false");
        await SchemaMigrator.MigrateAsync(_source, typeof(SagasDbContext).Assembly);
        await using var gate = _source.CreateCommand(
            """
            CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
            CREATE TRIGGER gate BEFORE UPDATE ON file_progress FOR EACH ROW WHEN (OLD.rows > 0) EXECUTE FUNCTION gate();
            """);
        await gate.ExecuteNonQueryAsync();
        await using var file = File.Create(Customers);
        new CustomerFile(1, 0).Write(file, Rows, CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await _source.DisposeAsync();
        await _postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_waits_for_Postgres_and_goes_on_and_Ctrl_C_ends_the_waiting()
    {
        await using (var ingest = await KilledInTheMiddleAsync())
        {
            var stopped = await ingest.StopAsync();
            Assert.Equal(130, stopped.ExitCode);
            Assert.Contains("interrupted. The same command goes on where it was.", stopped.Output, StringComparison.Ordinal);
        }
        await _postgres.StartAgainAsync();
        await using (var ingest = await KilledInTheMiddleAsync())
        {
            await _postgres.StartAgainAsync();
            var done = await ingest.EndsAsync();
            Assert.True(done.ExitCode == 0, done.Error);
            Assert.Contains("Postgres is back: going on.", done.Error, StringComparison.Ordinal);
            Assert.Contains("60,000 rows: 60,000 new, 0 changed, 0 unchanged, 0 rejected", done.Output, StringComparison.Ordinal);
        }
        Assert.Equal(Rows, await CountAsync("SELECT count(*) FROM customer_state WHERE version = 1"));
        Assert.Equal(Rows, await CountAsync("SELECT count(*) FROM saga_transition"));
    }

    [Fact]
    public async Task Alerts_of_a_file_wait_for_Postgres_too_and_each_is_entered_once()
    {
        var alerts = Path.Combine(_folder, "alerts.csv");
        await File.WriteAllLinesAsync(alerts, Enumerable.Range(1, 500).Select(number => $"{number},Order has been placed"));
        await using var alert = RunningCommand.Start(_database, "alert", alerts);
        while (!alert.ExitCode.IsCompleted && await CountAsync("SELECT count(*) FROM ledger") == 0)
            await Task.Delay(10);

        await _postgres.KillAsync();
        await alert.SaysAsync("This goes on when it is back; Ctrl-C ends it");
        await _postgres.StartAgainAsync();
        await alert.SaysAsync("Postgres is back: going on.");
        // No services run here: what they would do to the ledger is done to it, so that the file is read to its end.
        while (!alert.ExitCode.IsCompleted)
            await CountAsync("WITH told AS (UPDATE ledger SET state = 'done', finished_at = now() WHERE state = 'waiting' RETURNING 1) SELECT count(*) FROM told");

        var done = await alert.EndsAsync();
        Assert.True(done.ExitCode == 0, done.Error);
        Assert.Contains("alerts.csv: 500 rows, 500 delivered, 0 waiting", done.Output, StringComparison.Ordinal);
        Assert.Equal(500, await CountAsync("SELECT count(DISTINCT request ->> 'userId') FROM ledger"));
    }

    [Fact]
    public async Task Before_anything_was_begun_it_says_that_Postgres_cannot_be_reached()
    {
        await _postgres.StopAsync();

        await using var ingest = RunningCommand.Start(_database, "ingest", Customers);
        var run = await ingest.EndsAsync();

        Assert.Equal(3, run.ExitCode);
        Assert.StartsWith("Cannot connect to Postgres at ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("goes on when it is back", run.Error, StringComparison.Ordinal);
    }

    // With some rows committed and more about to be, which wait until Postgres is there again.
    private async Task<RunningCommand> KilledInTheMiddleAsync()
    {
        await using var gate = await _source.OpenConnectionAsync();
        await using var hold = new NpgsqlCommand("SELECT pg_advisory_lock(1)", gate);
        await hold.ExecuteNonQueryAsync();
        var ingest = RunningCommand.Start(_database, "ingest", Customers);
        while (await CountAsync("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND objsubid = 1 AND NOT granted") == 0)
        {
            Assert.False(ingest.ExitCode.IsCompleted, ingest.Error);
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }
        await _postgres.KillAsync();
        await ingest.SaysAsync("This goes on when it is back; Ctrl-C ends it");
        return ingest;
    }

    private async Task<long> CountAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
