using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Brings a database's schema up to date with SQL files, named <c>NNN_name.sql</c> and embedded in an assembly, applied once each and
/// in order. Processes that start together take turns by an advisory lock.
/// </summary>
public static partial class SchemaMigrator
{
    /// <summary>Applies what is missing.</summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="migrations">The assembly with the files.</param>
    /// <param name="logger">Told of each file applied.</param>
    /// <param name="cancellationToken">Stops between files and statements.</param>
    /// <returns>The names of the files applied, in order; none when the schema was up to date.</returns>
    /// <exception cref="InvalidOperationException">A file was changed after it had been applied.</exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(
        NpgsqlDataSource dataSource, Assembly migrations, ILogger? logger = null, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLocks.Migration})", cancellationToken);
        await ExecuteAsync(
            connection,
            """
            CREATE TABLE IF NOT EXISTS schema_migration (
                version    text        PRIMARY KEY,
                checksum   text        NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now());
            COMMENT ON TABLE schema_migration IS 'The SQL files that made this schema.';
            COMMENT ON COLUMN schema_migration.version IS 'The file''s name.';
            COMMENT ON COLUMN schema_migration.checksum IS 'SHA-256 of the file.';
            COMMENT ON COLUMN schema_migration.applied_at IS 'When it was applied.';
            """,
            cancellationToken);
        var applied = await ReadAppliedAsync(connection, cancellationToken);
        var done = new List<string>();
        foreach (var (version, sql) in Read(migrations))
        {
            var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
            if (applied.TryGetValue(version, out var before))
            {
                if (before != checksum)
                    throw new InvalidOperationException($"Migration {version} was applied and then changed; put the change into a new file.");
                continue;
            }

            await ExecuteAsync(connection, sql, cancellationToken);
            await using var insert = new NpgsqlCommand("INSERT INTO schema_migration (version, checksum) VALUES ($1, $2)", connection);
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = version });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = checksum });
            await insert.ExecuteNonQueryAsync(cancellationToken);
            done.Add(version);
        }

        // All or nothing: a start that is killed here leaves the schema as it was.
        await transaction.CommitAsync(cancellationToken);
        if (logger is not null)
            done.ForEach(version => LogApplied(logger, version));
        return done;
    }

    private static IEnumerable<(string Version, string Sql)> Read(Assembly migrations)
    {
        foreach (var name in migrations.GetManifestResourceNames().Where(name => FileName().IsMatch(name)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(migrations.GetManifestResourceStream(name)!, Encoding.UTF8);
            yield return (FileName().Match(name).Groups[1].Value, reader.ReadToEnd().ReplaceLineEndings("\n"));
        }
    }

    private static async Task<Dictionary<string, string>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<string, string>();
        await using var command = new NpgsqlCommand("SELECT version, checksum FROM schema_migration", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            applied[reader.GetString(0)] = reader.GetString(1);
        return applied;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [GeneratedRegex(@"(?:^|\.)(\d{3,}_\w+)\.sql$")]
    private static partial Regex FileName();

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied migration {Version}")]
    private static partial void LogApplied(ILogger logger, string version);
}
