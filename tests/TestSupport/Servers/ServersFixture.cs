using Sagas.LocalServers;

namespace Sagas.TestSupport.Servers;

/// <summary>
/// The servers that tests share: one Postgres and one RabbitMQ, those that <c>SAGAS_TEST_POSTGRES</c> and
/// <c>SAGAS_TEST_RABBITMQ</c> name, or private ones. A test takes databases and virtual hosts of its own from here, so
/// that classes run in parallel.
/// </summary>
/// <remarks>
/// xunit creates a fixture for each class. The servers belong to the process: they start when the first fixture is created
/// and end with the process.
/// </remarks>
public sealed class ServersFixture : ITestServers, IAsyncLifetime
{
    private static readonly Lazy<Task<string>> _postgres = new(StartPostgresAsync);
    private static readonly Lazy<Task<VirtualHosts>> _rabbitMq = new(StartRabbitMqAsync);
    private static readonly DatabaseTemplate _template = new(() => _postgres.Value);

    /// <summary>An empty database, dropped when it is disposed of.</summary>
    public async Task<TestDatabase> CreateEmptyDatabaseAsync(string purpose = "test") =>
        await TestDatabase.CreateAsync(await _postgres.Value, TestDatabase.UniqueName(purpose), template: null);

    /// <inheritdoc/>
    public Task<TestDatabase> CreateDatabaseAsync(string purpose = "test") => _template.CloneAsync(purpose);

    /// <inheritdoc/>
    public async Task<TestVirtualHost> CreateVirtualHostAsync(string purpose = "test")
    {
        var (hosts, name) = (await _rabbitMq.Value, TestDatabase.UniqueName(purpose));
        return new(await hosts.CreateAsync(name), () => hosts.DeleteAsync(name));
    }

    Task IAsyncLifetime.InitializeAsync()
    {
        // Not awaited: a test awaits the server that it uses, and gets the reason when it could not be started.
        _ = _postgres.Value;
        _ = _rabbitMq.Value;
        return Task.CompletedTask;
    }

    Task IAsyncLifetime.DisposeAsync() => Task.CompletedTask;

    private static async Task<string> StartPostgresAsync() =>
        Environment.GetEnvironmentVariable("SAGAS_TEST_POSTGRES") is { Length: > 0 } given
            ? given
            : (await PrivatePostgres.StartAsync(durable: false)).ConnectionString;

    private static async Task<VirtualHosts> StartRabbitMqAsync()
    {
        if (VirtualHosts.FromEnvironment() is { } given)
            return given;
        var server = await PrivateRabbitMq.StartAsync(management: true);
        return new VirtualHosts(server.Uri, server.ManagementUri);
    }
}
