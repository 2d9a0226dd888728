using System.Globalization;
using Npgsql;
using Sagas.EndToEndTests.Chaos;
using Sagas.EndToEndTests.Processes;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Ingest;

/// <summary>The ingest and its database are killed while a file is read; every row is done once.</summary>
[Collection(ChaosServers.Name)]
public sealed class IngestKillTests(KillableServers servers, ITestOutputHelper output)
{
    // At the beginning of a batch's transaction, in its middle, and before its commit.
    private static readonly string[] _gates = ["customer_state", "outbox_message", "file_progress"];

    private readonly Narration _narration = new(output);

    [PrivateServersFact]
    [Trait("Category", "Chaos")]
    public Task Every_row_is_done_once_when_ingest_and_database_are_killed() => RunAsync(rows: 30_000, kills: 3);

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task Every_row_of_a_million_is_done_once_when_ingest_and_database_are_killed() => RunAsync(rows: 1_000_000, kills: 20);

    private async Task RunAsync(int rows, int kills)
    {
        var folder = Directory.CreateTempSubdirectory("sagas-ingest-kill-").FullName;
        await using var database = await servers.CreateDatabaseAsync("ingest");
        try
        {
            var path = Path.Combine(folder, "customers.csv");
            var settings = new Dictionary<string, string>
            {
                ["ConnectionStrings:Postgres"] = database.ConnectionString + ";Timeout=60",
                ["Ingest:MaxBatchRows"] = "2000",
            };
            var count = rows.ToString(CultureInfo.InvariantCulture);
            await EndAsync(settings, "generate", "--rows", count, "--dirty", "0.01", "--output", path);
            await using var source = NpgsqlDataSource.Create(database.ConnectionString + ";Pooling=false");
            await BuildGatesAsync(database, source);
            for (var kill = 1; kill <= kills; kill++)
            {
                var goal = rows * kill / (kills + 2);
                var table = _gates[_narration.Random.Next(_gates.Length)];
                await using var gate = await AdvisoryLockGate.CloseAsync(database.ConnectionString);
                await ExecuteAsync(source, $"UPDATE ingest_goal SET rows = {goal}, gate = '{table}'");
                await using var ingest = ProgramProcess.Start($"ingest-{kill}", "Sagas.Cli", ["files", "ingest", path], settings);
                await Eventually.TrueAsync(
                    $"{goal} rows are done",
                    async () => ingest.Ended.IsCompleted || await gate.CountWaitingAsync() > 0
                );
                Assert.False(ingest.Ended.IsCompleted, $"It ended before it was killed: {ingest.LastLines(20)}");
                // The last kill is of the database: the ingest waits for it and reads the file to its end.
                await (kill < kills ? ingest.KillAsync() : RestartDatabaseAsync(ingest));
                var done = await QueryAsync<long>(source, "SELECT coalesce(sum(rows), 0)::bigint FROM file_progress");
                _narration.Say($"killed before it wrote to {table}; {done} rows are done");
            }

            await EndAsync(settings, "files", "ingest", path);
            await AuditAsync(source, rows);
        }
        catch (Exception e)
        {
            throw new Xunit.Sdk.XunitException($"{_narration.Seed}\n{e.Message}", e);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The gates hold the ingest in the middle of a batch, so that it is killed there.
    private static async Task BuildGatesAsync(TestDatabase database, NpgsqlDataSource source)
    {
        await ExecuteAsync(source, "CREATE TABLE ingest_goal (rows bigint, gate text); INSERT INTO ingest_goal DEFAULT VALUES");
        foreach (var table in _gates)
        {
            await AdvisoryLockGate.BuildAsync(
                database.ConnectionString,
                table,
                "BEFORE INSERT OR UPDATE",
                """
                EXISTS (SELECT FROM ingest_goal
                    WHERE gate = TG_TABLE_NAME AND rows <= (SELECT coalesce(sum(progress.rows), 0) FROM file_progress progress))
                """
            );
        }
    }

    private async Task RestartDatabaseAsync(ProgramProcess ingest)
    {
        await servers.Postgres.KillAsync();
        await servers.Postgres.StartAgainAsync();
        Assert.Equal(0, await ingest.Ended.WaitAsync(Eventually.Timeout));
    }

    private static async Task AuditAsync(NpgsqlDataSource source, int rows)
    {
        var rejected = await QueryAsync<long>(source, "SELECT count(*) FROM file_reject");
        Assert.InRange(rejected, rows * 0.005, rows * 0.015);
        Assert.Equal(
            $"completed {rows} {rejected} {rows - rejected} 0",
            await QueryAsync<string>(source, "SELECT concat_ws(' ', state, rows, rejected, added, changed) FROM files_overview")
        );
        const string Added = "SELECT count(*) FROM customer_state WHERE version = 1 AND current_state = 'Syncing'";
        Assert.Equal(rows - rejected, await QueryAsync<long>(source, Added));
        Assert.Equal(rows - rejected, await QueryAsync<long>(source, "SELECT count(*) FROM saga_history"));
        const string Ids = """
            SELECT concat_ws(' ', count(*), count(DISTINCT id))
            FROM outbox_message, json_array_elements_text(body::json -> 'message' -> 'customerIds') id
            """;
        Assert.Equal($"{rows - rejected} {rows - rejected}", await QueryAsync<string>(source, Ids));
    }

    private static async Task<T> QueryAsync<T>(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task EndAsync(Dictionary<string, string> settings, params string[] arguments)
    {
        await using var process = ProgramProcess.Start(arguments[0], "Sagas.Cli", arguments, settings);
        Assert.Equal(0, await process.Ended.WaitAsync(TimeSpan.FromMinutes(5)));
    }
}
