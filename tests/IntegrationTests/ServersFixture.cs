using Npgsql;
using Sagas.Harness.LocalServers;

namespace Sagas.IntegrationTests;

/// <summary>
/// The servers of this assembly's tests: one Postgres and one RabbitMQ, private ones, or those that
/// <c>SAGAS_TEST_POSTGRES</c> and <c>SAGAS_TEST_RABBITMQ</c> name. Both begin to start with the first test of the
/// collection; a test waits for the one it uses. A test class takes databases and virtual hosts of its own from here.
/// </summary>
public sealed class ServersFixture : IAsyncLifetime
{
    private readonly Lazy<Task<Database>> _postgres = new(StartPostgresAsync);
    private readonly Lazy<Task<Broker>> _rabbitMq = new(StartRabbitMqAsync);

    /// <summary>An empty database, dropped when it is disposed of.</summary>
    public async Task<TestDatabase> CreateDatabaseAsync(string purpose = "test") =>
        await TestDatabase.CreateAsync((await _postgres.Value).ConnectionString, UniqueName(purpose));

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

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeOfAsync(_postgres.Value, server => server.Owned);
        await DisposeOfAsync(_rabbitMq.Value, server => server.Owned);
    }

    private static string UniqueName(string purpose) => $"{purpose}-{Guid.NewGuid():N}";

    private static async Task<Database> StartPostgresAsync()
    {
        if (Environment.GetEnvironmentVariable("SAGAS_TEST_POSTGRES") is { Length: > 0 } given)
            return new Database(given, null);

        var server = await PrivatePostgres.StartAsync();
        return new Database(server.ConnectionString, server);
    }

    private static async Task<Broker> StartRabbitMqAsync()
    {
        if (GivenRabbitMq.FromEnvironment() is { } given)
            return new Broker(given.CreateVirtualHostAsync, given.DeleteVirtualHostAsync, given);

        var server = await PrivateRabbitMq.StartAsync();
        return new Broker(name => server.CreateVirtualHostAsync(name), name => server.DeleteVirtualHostAsync(name), server);
    }

    private static async Task DisposeOfAsync<T>(Task<T> starting, Func<T, IAsyncDisposable?> owned)
    {
        await starting.ContinueWith(_ => { }, TaskScheduler.Default);
        if (starting.IsCompletedSuccessfully && owned(await starting) is { } server)
            await server.DisposeAsync();
    }

    private sealed record Database(string ConnectionString, IAsyncDisposable? Owned);

    private sealed record Broker(Func<string, Task<Uri>> CreateVirtualHost, Func<string, Task> DeleteVirtualHost, IAsyncDisposable? Owned);
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
        _server = new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString;
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
