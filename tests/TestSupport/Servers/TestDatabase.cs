using Npgsql;

namespace Sagas.TestSupport.Servers;

/// <summary>A database of a test's own.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _server;

    private TestDatabase(string server, string name, bool pooled)
    {
        var timeout = (int)Eventually.Timeout.TotalSeconds;
        _server = new NpgsqlConnectionStringBuilder(server)
        {
            Pooling = pooled,
            Timeout = timeout,
            CommandTimeout = timeout,
        }.ConnectionString;
        Name = name;
        // A new connection costs more than what most tests do on it.
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = 16 }.ConnectionString;
    }

    /// <summary>Its name on the server.</summary>
    public string Name { get; }

    /// <summary>Its Npgsql connection string.</summary>
    public string ConnectionString { get; }

    /// <summary>Drops it, even while sessions are connected.</summary>
    public async ValueTask DisposeAsync()
    {
        await using (var connection = new NpgsqlConnection(ConnectionString))
            NpgsqlConnection.ClearPool(connection);
        await ExecuteOnServerAsync(_ => $"DROP DATABASE IF EXISTS \"{Name}\" WITH (FORCE)");
    }

    internal static string UniqueName(string purpose) => $"{purpose}-{Guid.NewGuid():N}";

    internal static async Task<TestDatabase> CreateAsync(string server, string name, string? template, bool pooled = true)
    {
        var database = new TestDatabase(server, name, pooled);
        await database.ExecuteOnServerAsync(version =>
            (template is null ? $"CREATE DATABASE \"{name}\"" : $"CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")
            // Copies files instead of logging every page, as versions before 15 always did.
            + (version.Major < 15 ? "" : " STRATEGY FILE_COPY")
        );
        return database;
    }

    private async Task ExecuteOnServerAsync(Func<Version, string> sql)
    {
        await using var connection = new NpgsqlConnection(_server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql(connection.PostgreSqlVersion), connection);
        await command.ExecuteNonQueryAsync();
    }
}
