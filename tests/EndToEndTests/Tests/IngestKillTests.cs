using System.Globalization;
using Npgsql;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Tests;

/// <summary>The ingest and its database die while a file is read; afterwards every row was done once.</summary>
public sealed class IngestKillTests(ITestOutputHelper output)
{
    [Fact]
    [Trait("Category", "Chaos")]
    public Task Every_row_is_done_once_when_ingest_and_database_are_killed() => RunAsync(rows: 100_000, kills: 4);

    [Fact]
    [Trait("Category", "ChaosFull")]
    public Task Every_row_of_a_million_is_done_once_when_ingest_and_database_are_killed() => RunAsync(rows: 1_000_000, kills: 20);

    private async Task RunAsync(int rows, int kills)
    {
        var folder = Directory.CreateTempSubdirectory("sagas-ingest-kill-").FullName;
        await using var postgres = await PrivatePostgres.StartAsync();
        try
        {
            var database = await postgres.CreateDatabaseAsync("sagas");
            var path = Path.Combine(folder, "customers.csv");
            var settings = new Dictionary<string, string> { ["ConnectionStrings:Postgres"] = database + ";Timeout=60", ["Ingest:MaxBatchRows"] = "2000" };
            await EndAsync(settings, "migrate");
            await EndAsync(settings, "generate", "customers", "--rows", rows.ToString(CultureInfo.InvariantCulture), "--dirty", "0.01", "--output", path);
            await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
            await IngestGate.CreateAsync(source);

            for (var kill = 1; kill <= kills; kill++)
            {
                var goal = rows * kill / (kills + 2);
                await using var gate = await IngestGate.CloseAsync(source, goal);
                await using var ingest = ProgramProcess.Start($"ingest-{kill}", "Sagas.Cli", ["ingest", path], settings);
                await Eventually.TrueAsync($"{goal} rows", async () => await gate.IsReachedAsync() || ingest.Ended.IsCompleted, Eventually.Timeout);
                Assert.False(ingest.Ended.IsCompleted, "It ended before it was killed.");
                // The last time it is the database: the ingest waits for it and reads the file to its end.
                if (kill == kills)
                {
                    await postgres.KillAsync();
                    await postgres.StartAgainAsync();
                    Assert.Equal(0, await ingest.Ended.WaitAsync(Eventually.Timeout));
                    continue;
                }
                await ingest.KillAsync();
                output.WriteLine($"killed at {await DoneAsync(source)} rows, before it wrote to {gate.Table}");
            }
            await EndAsync(settings, "ingest", path);
            await AuditAsync(source, rows);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task AuditAsync(NpgsqlDataSource source, int rows)
    {
        var rejected = await QueryAsync<long>(source, "SELECT count(*) FROM file_reject");
        Assert.InRange(rejected, rows * 0.005, rows * 0.015);
        Assert.Equal($"done {rows} {rejected} {rows - rejected} 0", await QueryAsync<string>(
            source, "SELECT concat_ws(' ', state, rows, rejected, added, changed) FROM ingest_files"));
        Assert.Equal(rows - rejected, await QueryAsync<long>(source, "SELECT count(*) FROM customer_state WHERE version = 1 AND current_state = 'Syncing'"));
        Assert.Equal(rows - rejected, await QueryAsync<long>(source, "SELECT count(*) FROM saga_transition"));
        Assert.Equal($"{rows - rejected} {rows - rejected}", await QueryAsync<string>(
            source,
            "SELECT concat_ws(' ', count(*), count(DISTINCT id)) FROM outbox_message, json_array_elements_text(body::json -> 'message' -> 'customerIds') id"));
    }

    private static Task<long> DoneAsync(NpgsqlDataSource source) => QueryAsync<long>(source, "SELECT coalesce(sum(rows), 0)::bigint FROM file_progress");

    private static async Task<T> QueryAsync<T>(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task EndAsync(Dictionary<string, string> settings, params string[] arguments)
    {
        await using var process = ProgramProcess.Start(arguments[0], "Sagas.Cli", arguments, settings);
        Assert.Equal(0, await process.Ended.WaitAsync(TimeSpan.FromMinutes(5)));
    }
}
