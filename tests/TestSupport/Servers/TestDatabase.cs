using Npgsql;

namespace Sagas.TestSupport.Servers;

/// <summary>A database of a test's own.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _server;

    private TestDatabase(string server, string name)
    {
        var timeout = (int)Eventually.Timeout.TotalSeconds;
        _server = new NpgsqlConnectionStringBuilder(server)
        {
            Pooling = false,
            Timeout = timeout,
            CommandTimeout = timeout,
        }.ConnectionString;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
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
        await ExecuteOnServerAsync($"DROP DATABASE IF EXISTS \"{Name}\" WITH (FORCE)");
    }

    internal static string UniqueName(string purpose) => $"{purpose}-{Guid.NewGuid():N}";

    internal static async Task<TestDatabase> CreateAsync(string server, string name, string? template)
    {
        var database = new TestDatabase(server, name);
        await database.ExecuteOnServerAsync($"CREATE DATABASE \"{name}\"{(template is null ? "" : $" TEMPLATE \"{template}\"")}");
        return database;
    }

    private async Task ExecuteOnServerAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
