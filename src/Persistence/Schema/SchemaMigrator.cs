using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// Brings a database's schema up to date: migrations are applied once each and in order. Processes that start together take turns
/// by an advisory lock.
/// </summary>
public static partial class SchemaMigrator
{
    private const string AdvisoryLock = "7230002";
    private const string Utf8 = "UTF8";

    private const string CreateTable = """
        CREATE TABLE IF NOT EXISTS schema_migration (
            version    text        PRIMARY KEY,
            checksum   text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now());
        COMMENT ON TABLE schema_migration IS 'The SQL files that made this schema.';
        COMMENT ON COLUMN schema_migration.version IS 'The file''s name.';
        COMMENT ON COLUMN schema_migration.checksum IS 'SHA-256 of the file.';
        COMMENT ON COLUMN schema_migration.applied_at IS 'When it was applied.';
        """;

    /// <summary>Applies what is missing.</summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="migrations">All migrations, in order.</param>
    /// <param name="logger">Logs each migration applied.</param>
    /// <param name="cancellationToken">Cancels; nothing is applied then.</param>
    /// <returns>The versions applied, in order; none when the schema was up to date.</returns>
    /// <exception cref="SchemaMigrationException">A migration was changed after it had been applied, the database has no schema
    /// for the tables or another encoding than UTF-8, or the role may not create tables.</exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(
        NpgsqlDataSource dataSource,
        IReadOnlyList<Migration> migrations,
        ILogger? logger = null,
        CancellationToken cancellationToken = default
    )
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        IReadOnlyList<string> done;
        try
        {
            done = await ApplyAsync(connection, migrations, cancellationToken);
        }
        catch (PostgresException exception) when (Explain(exception, connection) is { } reason)
        {
            throw new SchemaMigrationException(reason, exception);
        }

        if (logger is not null)
        {
            foreach (var version in done)
                LogApplied(logger, version);
        }

        return done;
    }

    private static async Task<IReadOnlyList<string>> ApplyAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Migration> migrations,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLock})", cancellationToken);
        await ExecuteAsync(connection, CreateTable, cancellationToken);
        var applied = await ReadAppliedAsync(connection, cancellationToken);
        if (applied.Count == 0)
            CheckEncoding(connection);
        var done = new List<string>();
        foreach (var migration in migrations)
        {
            if (applied.TryGetValue(migration.Version, out var checksum))
            {
                if (checksum != migration.Checksum)
                {
                    throw new SchemaMigrationException(
                        $"Migration {migration.Version} was applied and then changed; put the change into a new file."
                    );
                }

                continue;
            }

            await ExecuteAsync(connection, migration.Sql, cancellationToken);
            await using var insert = new NpgsqlCommand(
                "INSERT INTO schema_migration (version, checksum) VALUES ($1, $2)",
                connection
            );
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = migration.Version });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = migration.Checksum });
            await insert.ExecuteNonQueryAsync(cancellationToken);
            done.Add(migration.Version);
        }

        // All or nothing: a start that is killed here leaves the schema as it was.
        await transaction.CommitAsync(cancellationToken);
        return done;
    }

    // In other encodings, every text with a character that they lack would fail when it is stored.
    private static void CheckEncoding(NpgsqlConnection connection)
    {
        if (connection.PostgresParameters.TryGetValue("server_encoding", out var encoding) && encoding != Utf8)
        {
            throw new SchemaMigrationException(
                $"The database '{connection.Database}' has the encoding {encoding} and needs {Utf8}: create it anew with "
                    + $"CREATE DATABASE … TEMPLATE template0 ENCODING '{Utf8}'."
            );
        }
    }

    private static string? Explain(PostgresException exception, NpgsqlConnection connection) =>
        exception.SqlState switch
        {
            PostgresErrorCodes.InvalidSchemaName =>
                $"The role '{connection.UserName}' has no schema to create tables in: none that exists is in its search_path. "
                    + "Add 'Search Path=public' to the connection string.",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"The role '{connection.UserName}' may not create or change the tables: {exception.MessageText}. Make it the "
                    + $"owner of the database: ALTER DATABASE \"{connection.Database}\" OWNER TO \"{connection.UserName}\".",
            _ => null,
        };

    private static async Task<Dictionary<string, string>> ReadAppliedAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
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

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied migration {Version}")]
    private static partial void LogApplied(ILogger logger, string version);
}
