using Npgsql;
using Sagas.Harness.LocalServers;

namespace Sagas.IntegrationTests;

/// <summary>
/// The servers of this assembly's tests: one Postgres and one RabbitMQ, private ones, or those that
/// <c>SAGAS_TEST_POSTGRES</c> and <c>SAGAS_TEST_RABBITMQ</c> name. Both begin to start when the first test wants a
/// fixture; a test waits for the one it uses. A test class takes databases and virtual hosts of its own from here.
/// </summary>
/// <remarks>
/// xunit makes a fixture for each collection, and collections run side by side: the servers are shared by all, so none
/// of the fixtures may stop them. They end with the process, as private servers do.
/// </remarks>
public sealed class ServersFixture : IAsyncLifetime
{
    private static readonly Lazy<Task<string>> _postgres = new(StartPostgresAsync);
    private static readonly Lazy<Task<Broker>> _rabbitMq = new(StartRabbitMqAsync);

    /// <summary>An empty database, dropped when it is disposed of.</summary>
    public async Task<TestDatabase> CreateDatabaseAsync(string purpose = "test") =>
        await TestDatabase.CreateAsync(await _postgres.Value, UniqueName(purpose));

    /// <summary>An empty virtual host, deleted when it is disposed of.</summary>
    public async Task<TestVirtualHost> CreateVirtualHostAsync(string purpose = "test")
    {
        var broker = await _rabbitMq.Value;
        var name = UniqueName(purpose);
        return new TestVirtualHost(await broker.CreateVirtualHost(name), () => broker.DeleteVirtualHost(name));
    }

    Task IAsyncLifetime.InitializeAsync()
    {
        // Not awaited: tests await the server they need, and get the reason when it could not be started.
        _ = _postgres.Value;
        _ = _rabbitMq.Value;
        return Task.CompletedTask;
    }

    Task IAsyncLifetime.DisposeAsync() => Task.CompletedTask;

    private static string UniqueName(string purpose) => $"{purpose}-{Guid.NewGuid():N}";

    private static async Task<string> StartPostgresAsync() =>
        Environment.GetEnvironmentVariable("SAGAS_TEST_POSTGRES") is { Length: > 0 } given
            ? given
            : (await PrivatePostgres.StartAsync()).ConnectionString;

    private static async Task<Broker> StartRabbitMqAsync()
    {
        if (GivenRabbitMq.FromEnvironment() is { } given)
            return new Broker(given.CreateVirtualHostAsync, given.DeleteVirtualHostAsync);

        var server = await PrivateRabbitMq.StartAsync();
        return new Broker(name => server.CreateVirtualHostAsync(name), name => server.DeleteVirtualHostAsync(name));
    }

    private sealed record Broker(Func<string, Task<Uri>> CreateVirtualHost, Func<string, Task> DeleteVirtualHost);
}

/// <summary>Test classes with <c>[Collection(ServersCollection.Name)]</c> share the servers, and run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ServersCollection : ICollectionFixture<ServersFixture>
{
    public const string Name = "servers";
}

/// <summary>A database for one test class.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _server;
    private readonly string _name;

    private TestDatabase(string server, string name)
    {
        var patience = (int)Patience.Long.TotalSeconds;
        _server = new NpgsqlConnectionStringBuilder(server) { Pooling = false, Timeout = patience, CommandTimeout = patience }.ConnectionString;
        _name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    }

    public string ConnectionString { get; }

    internal static async Task<TestDatabase> CreateAsync(string server, string name)
    {
        var database = new TestDatabase(server, name);
        await database.ExecuteOnServerAsync($"CREATE DATABASE \"{name}\"");
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        await using (var connection = new NpgsqlConnection(ConnectionString))
            NpgsqlConnection.ClearPool(connection);
        await ExecuteOnServerAsync($"DROP DATABASE IF EXISTS \"{_name}\" WITH (FORCE)");
    }

    private async Task ExecuteOnServerAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>A virtual host for one test class.</summary>
public sealed class TestVirtualHost(Uri uri, Func<Task> delete) : IAsyncDisposable
{
    /// <summary>Its AMQP address with user and password.</summary>
    public Uri Uri { get; } = uri;

    public async ValueTask DisposeAsync() => await delete();
}

/// <summary>The tests of persistence, which run beside the others on the same servers.</summary>
[CollectionDefinition(Name)]
public sealed class PersistenceCollection : ICollectionFixture<ServersFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Persistence";
}
