using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary><c>\copy</c>: what Postgres and its client take for the same rows, and nothing else.</summary>
internal static class PsqlCopy
{
    /// <summary>The file's rows into a table of five columns without indexes.</summary>
    /// <param name="database">The database; the table is made there.</param>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Seconds.</returns>
    public static async Task<double> PlainAsync(string database, string path, CancellationToken cancellationToken)
    {
        await ExecuteAsync(
            database,
            "CREATE TABLE plain (id text, first_name text, last_name text, email text, phone text)",
            cancellationToken
        );
        return await RunAsync(database, $"\\copy plain from '{path}' csv header", cancellationToken);
    }

    /// <summary>The customers that an ingest made, in its order, into a table with the same columns and indexes.</summary>
    /// <param name="database">The database that has them.</param>
    /// <param name="folder">Where the rows are kept meanwhile.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Seconds.</returns>
    public static async Task<double> IndexedAsync(string database, string folder, CancellationToken cancellationToken)
    {
        var rows = Path.Combine(folder, "customers.copy");
        await RunAsync(database, $"\\copy customer_state to '{rows}' (format binary)", cancellationToken);
        await ExecuteAsync(database, "CREATE TABLE customer_floor (LIKE customer_state INCLUDING ALL)", cancellationToken);
        await ExecuteAsync(database, "CHECKPOINT", cancellationToken);
        var seconds = await RunAsync(database, $"\\copy customer_floor from '{rows}' (format binary)", cancellationToken);
        File.Delete(rows);
        return seconds;
    }

    /// <summary>Executes SQL.</summary>
    public static async Task ExecuteAsync(string database, string sql, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 600;
        await command.ExecuteNonQueryAsync(cancellationToken);
        NpgsqlConnection.ClearPool(source.CreateConnection());
    }

    private static async Task<double> RunAsync(string database, string copy, CancellationToken cancellationToken)
    {
        var target = new NpgsqlConnectionStringBuilder(database);
        var port = target.Port.ToString(CultureInfo.InvariantCulture);
        var psql =
            ServerPrograms.FindPostgres("psql")
            ?? throw new ServerNotInstalledException("PostgreSQL's client", "psql", "postgresql-client", "postgresql@17");
        var clock = Stopwatch.StartNew();
        await ServerCommand.RunAsync(
            [psql, "-q", "-h", target.Host!, "-p", port, "-U", target.Username!, "-d", target.Database!, "-c", copy],
            Path.GetTempPath(),
            new ServerEnvironment([], new Dictionary<string, string> { ["PGPASSWORD"] = target.Password ?? "" }),
            cancellationToken
        );
        return clock.Elapsed.TotalSeconds;
    }
}
