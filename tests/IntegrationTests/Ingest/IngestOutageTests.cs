using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;
using Sagas.Harness.Generate;
using Sagas.Harness.LocalServers;
using Sagas.IntegrationTests.CommandLine;

namespace Sagas.IntegrationTests.Ingest;

/// <summary><c>sagas ingest</c> when Postgres goes away.</summary>
public sealed class IngestOutageTests : IAsyncLifetime
{
    private const int Rows = 200_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-ingest-outage-").FullName;
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
            Assert.Contains("200,000 rows: 200,000 new, 0 changed, 0 unchanged, 0 rejected", done.Output, StringComparison.Ordinal);
        }
        Assert.Equal(Rows, await CountAsync("SELECT count(*) FROM customer_state WHERE version = 1"));
        Assert.Equal(Rows, await CountAsync("SELECT count(*) FROM saga_transition"));
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

    private async Task<RunningCommand> KilledInTheMiddleAsync()
    {
        var before = await CountAsync("SELECT coalesce(sum(rows), 0)::bigint FROM file_progress");
        var ingest = RunningCommand.Start(_database, "ingest", Customers);
        while (!ingest.ExitCode.IsCompleted && await CountAsync("SELECT coalesce(sum(rows), 0)::bigint FROM file_progress") == before)
            await Task.Delay(10);
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
