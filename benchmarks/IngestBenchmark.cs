using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using Sagas.Cli.Generate;
using Sagas.LocalServers;
using Sagas.Persistence;
using Sagas.Services;

namespace Sagas.Benchmarks;

/// <summary>
/// <c>sagas files ingest</c> as a process of its own, from its start to its end, compared with a bare <c>\copy</c> of the same
/// file into a table without indexes. Each ingest has a database of its own.
/// </summary>
internal sealed class IngestBenchmark(PrivatePostgres postgres, Action<string> log)
{
    private const string PlainTable = "CREATE TABLE plain (id text, first_name text, last_name text, email text, phone text)";

    private int _databases;

    /// <summary>What was measured.</summary>
    /// <param name="Rows">Rows of the file.</param>
    /// <param name="TimesCopy">Seconds of the ingest over seconds of the copy, median of the rounds.</param>
    /// <param name="RowsPerSecond">Of the ingest.</param>
    /// <param name="PeakMegabytes">Largest working set of the ingest's process, in MiB.</param>
    /// <param name="IngestSeconds">Median.</param>
    /// <param name="CopySeconds">Median.</param>
    /// <param name="CostPerRowRatio">Seconds per row over those of a file of a million rows; null: the file has no more.</param>
    public sealed record Report(
        long Rows,
        double TimesCopy,
        double RowsPerSecond,
        double PeakMegabytes,
        double IngestSeconds,
        double CopySeconds,
        double? CostPerRowRatio
    );

    /// <summary>Measures.</summary>
    /// <param name="rows">Rows of the file.</param>
    /// <param name="rounds">How often.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<Report> MeasureAsync(int rows, int rounds, CancellationToken cancellationToken)
    {
        const int Million = 1_000_000;
        var small = rows > Million ? await MeasureFileAsync(Million, rounds, cancellationToken) : null;
        var report = await MeasureFileAsync(rows, rows > Million ? 1 : rounds, cancellationToken);
        return small is null
            ? report
            : report with
            {
                CostPerRowRatio = report.IngestSeconds / report.Rows / (small.IngestSeconds / small.Rows),
            };
    }

    private async Task<Report> MeasureFileAsync(int rows, int rounds, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("sagas-bench-ingest-").FullName;
        try
        {
            var path = Path.Combine(folder, "customers.csv");
            log(string.Create(CultureInfo.InvariantCulture, $"Writing a file of {rows:N0} customers …"));
            await using (var file = File.Create(path))
                new CustomerFile(seed: 1, dirty: 0).Write(file, rows, cancellationToken);
            var (copies, ingests, peak) = (new List<double>(), new List<double>(), 0d);
            for (var round = 1; round <= rounds; round++)
            {
                copies.Add(await CopyAsync(path, cancellationToken));
                var (seconds, megabytes) = await IngestAsync(path, rows, cancellationToken);
                ingests.Add(seconds);
                peak = Math.Max(peak, megabytes);
                log(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Round {round}: \\copy {copies[^1]:0.00} s, ingest {seconds:0.00} s, peak {megabytes:0} MiB"
                    )
                );
            }
            var times = OutboxReport.Median([.. ingests.Zip(copies, (one, other) => one / other)]);
            var (copy, ingest) = (OutboxReport.Median(copies), OutboxReport.Median(ingests));
            return new Report(rows, times, rows / ingest, peak, ingest, copy, null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<double> CopyAsync(string path, CancellationToken cancellationToken)
    {
        var database = await CreateDatabaseAsync(PlainTable, cancellationToken);
        var target = new NpgsqlConnectionStringBuilder(database);
        var psql =
            ServerPrograms.FindPostgres("psql")
            ?? throw new ServerNotInstalledException("PostgreSQL's client", "psql", "postgresql-client", "postgresql@17");
        var clock = Stopwatch.StartNew();
        await ServerCommand.RunAsync(
            [
                psql,
                "-q",
                "-h",
                target.Host!,
                "-p",
                target.Port.ToString(CultureInfo.InvariantCulture),
                "-U",
                target.Username!,
                "-d",
                target.Database!,
                "-c",
                $"\\copy plain from '{path}' csv header",
            ],
            Path.GetDirectoryName(path)!,
            new ServerEnvironment([], new Dictionary<string, string> { ["PGPASSWORD"] = target.Password ?? "" }),
            cancellationToken
        );
        return clock.Elapsed.TotalSeconds;
    }

    private async Task<(double Seconds, double Megabytes)> IngestAsync(string path, int rows, CancellationToken cancellationToken)
    {
        var database = await CreateDatabaseAsync(null, cancellationToken);
        var clock = Stopwatch.StartNew();
        var start = new ProcessStartInfo("dotnet", [typeof(CustomerFile).Assembly.Location, "files", "ingest", path, "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ConnectionStrings__Postgres"] = database },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        var peak = await WatchAsync(process, cancellationToken);
        var seconds = clock.Elapsed.TotalSeconds;
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"sagas files ingest ended with {process.ExitCode}: {await error}");
        var report = JsonDocument.Parse(await output).RootElement[0];
        await CheckAsync(database, rows, cancellationToken);
        return report.GetProperty("added").GetInt64() == rows
            ? (seconds, peak)
            : throw new InvalidOperationException($"Not every row is a customer: {report}");
    }

    // The operating system reports the peak only while the process runs.
    private static async Task<double> WatchAsync(Process process, CancellationToken cancellationToken)
    {
        var peak = 0L;
        var ended = process.WaitForExitAsync(cancellationToken);
        while (!ended.IsCompleted)
        {
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException)
            {
                break;
            }
            await Task.WhenAny(ended, Task.Delay(20, cancellationToken));
        }
        await ended;
        return peak / 1024d / 1024d;
    }

    // Durable, with history, and queued for the CRM: all of them, once.
    private static async Task CheckAsync(string database, int rows, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            """
            SELECT (SELECT count(*) FROM customer_state WHERE current_state = 'Syncing') = $1
               AND (SELECT count(*) FROM saga_transition) = $1
               AND (SELECT sum(json_array_length(body::json -> 'message' -> 'customerIds')) FROM outbox_message) = $1
            """
        );
        command.CommandTimeout = 600;
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = rows });
        if (await command.ExecuteScalarAsync(cancellationToken) is not true)
            throw new InvalidOperationException("Not every row is a customer with history and work for the CRM.");
        NpgsqlConnection.ClearPool(source.CreateConnection());
    }

    private async Task<string> CreateDatabaseAsync(string? sql, CancellationToken cancellationToken)
    {
        var database = await postgres.CreateDatabaseAsync($"ingest_benchmark_{_databases++}", cancellationToken);
        await using var source = NpgsqlDataSource.Create(database);
        if (sql is null)
            await SchemaMigrator.MigrateAsync(source, Features.Product.Migrations, null, cancellationToken);
        else
            await using (var command = source.CreateCommand(sql))
                await command.ExecuteNonQueryAsync(cancellationToken);
        // A run must not pay for the dirty pages of the previous one.
        await using var checkpoint = source.CreateCommand("CHECKPOINT");
        checkpoint.CommandTimeout = 600;
        await checkpoint.ExecuteNonQueryAsync(cancellationToken);
        return database;
    }
}
