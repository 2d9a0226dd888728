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
/// <c>sagas files ingest</c> as a process of its own, from its start to its end, compared with <c>\copy</c> of the same file into
/// a table without indexes, and of the same customers into a table with theirs. Each ingest has a database of its own.
/// </summary>
internal sealed class IngestBenchmark(PrivatePostgres postgres, Action<string> log)
{
    private int _databases;

    /// <summary>What was measured.</summary>
    /// <param name="Rows">Rows of the file.</param>
    /// <param name="TimesCopy">Seconds of the ingest over seconds of the copy, median of the rounds.</param>
    /// <param name="TimesIndexedCopy">The same over seconds of a copy of the customers with their indexes.</param>
    /// <param name="RowsPerSecond">Of the ingest.</param>
    /// <param name="PeakMegabytes">Largest working set of the ingest's process, in MiB.</param>
    /// <param name="IngestSeconds">Median.</param>
    /// <param name="CopySeconds">Median.</param>
    /// <param name="IndexedCopySeconds">Median.</param>
    /// <param name="CostPerRowRatio">Seconds per row over those of a file of a million rows; null: the file has no more.</param>
    public sealed record Report(
        long Rows,
        double TimesCopy,
        double TimesIndexedCopy,
        double RowsPerSecond,
        double PeakMegabytes,
        double IngestSeconds,
        double CopySeconds,
        double IndexedCopySeconds,
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
            var seen = new List<Round>();
            for (var round = 1; round <= rounds; round++)
            {
                seen.Add(await MeasureRoundAsync(path, rows, cancellationToken));
                log(string.Create(CultureInfo.InvariantCulture, $"Round {round}: {seen[^1]}"));
            }
            var ingest = Percentile.Median(seen, round => round.Ingest);
            return new Report(
                rows,
                Percentile.Median(seen, round => round.Ingest / round.Copy),
                Percentile.Median(seen, round => round.Ingest / round.IndexedCopy),
                rows / ingest,
                seen.Max(round => round.Megabytes),
                ingest,
                Percentile.Median(seen, round => round.Copy),
                Percentile.Median(seen, round => round.IndexedCopy),
                null
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<Round> MeasureRoundAsync(string path, int rows, CancellationToken cancellationToken)
    {
        var plain = await CreateDatabaseAsync(cancellationToken);
        var copy = await PsqlCopy.PlainAsync(plain, path, cancellationToken);
        var database = await CreateDatabaseAsync(cancellationToken);
        await using (var source = NpgsqlDataSource.Create(database))
            await SchemaMigrator.MigrateAsync(source, Features.Product.Migrations, null, cancellationToken);
        await PsqlCopy.ExecuteAsync(database, "CHECKPOINT", cancellationToken);
        var (seconds, megabytes) = await IngestAsync(database, path, rows, cancellationToken);
        var indexed = await PsqlCopy.IndexedAsync(database, Path.GetDirectoryName(path)!, cancellationToken);
        return new Round(copy, indexed, seconds, megabytes);
    }

    private static async Task<(double Seconds, double Megabytes)> IngestAsync(
        string database,
        string path,
        int rows,
        CancellationToken cancellationToken
    )
    {
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
               AND (SELECT count(*) FROM saga_history) = $1
               AND (SELECT sum(json_array_length(body::json -> 'message' -> 'customerIds')) FROM outbox_message) = $1
            """
        );
        command.CommandTimeout = 600;
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = rows });
        if (await command.ExecuteScalarAsync(cancellationToken) is not true)
            throw new InvalidOperationException("Not every row is a customer with history and work for the CRM.");
        NpgsqlConnection.ClearPool(source.CreateConnection());
    }

    // A run must not pay for the dirty pages of the previous one.
    private async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var database = await postgres.CreateDatabaseAsync($"ingest_benchmark_{_databases++}", cancellationToken);
        await PsqlCopy.ExecuteAsync(database, "CHECKPOINT", cancellationToken);
        return database;
    }

    private sealed record Round(double Copy, double IndexedCopy, double Ingest, double Megabytes)
    {
        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"\\copy {Copy:0.00} s, with indexes {IndexedCopy:0.00} s, ingest {Ingest:0.00} s, peak {Megabytes:0} MiB"
            );
    }
}
