using Sagas.Harness.LocalServers;
using Sagas.IntegrationTests.LocalServers;

namespace Sagas.IntegrationTests.Host;

/// <summary>
/// One Postgres and one RabbitMQ for the tests of the host, private ones, since tests kill them; a database and a
/// virtual host for each test. Where the programs are missing, tests that kill nothing use the servers they were given.
/// </summary>
public sealed class HostServers : IAsyncLifetime
{
    private readonly ServersFixture _given = new();
    private PrivatePostgres? _postgres;
    private PrivateRabbitMq? _rabbitMq;
    private int _count;

    internal PrivatePostgres Postgres => _postgres ?? throw new InvalidOperationException("A given Postgres cannot be killed.");

    internal PrivateRabbitMq RabbitMq => _rabbitMq ?? throw new InvalidOperationException("A given RabbitMQ cannot be killed.");

    public async Task InitializeAsync()
    {
        if (!PrivateServersFactAttribute.CanStart)
            return;

        var postgres = PrivatePostgres.StartAsync();
        _rabbitMq = await PrivateRabbitMq.StartAsync();
        _postgres = await postgres;
    }

    public async Task DisposeAsync()
    {
        if (_rabbitMq is not null)
            await _rabbitMq.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }

    /// <summary>A system of its own, not started yet.</summary>
    internal async Task<TestSystem> CreateAsync(params (string Key, string? Value)[] settings)
    {
        var name = $"host{Interlocked.Increment(ref _count)}";
        var all = new Dictionary<string, string?>
        {
            ["ConnectionStrings:Postgres"] = _postgres is null
                ? (await _given.CreateDatabaseAsync(name)).ConnectionString
                : await _postgres.CreateDatabaseAsync(name),
            ["RabbitMq:Uri"] = (_rabbitMq is null
                ? (await _given.CreateVirtualHostAsync(name)).Uri
                : await _rabbitMq.CreateVirtualHostAsync(name)).ToString(),
            ["urls"] = "http://127.0.0.1:0",
            // Reached only by what never ends, as a machine that does much else stands still for seconds.
            ["ShutdownTimeout"] = "00:02:00",
            ["RabbitMq:Heartbeat"] = "00:01:00",
            // These tests are about the host; there is no CRM to be told of their customers.
            ["Crm:Enabled"] = "false",
            ["Serilog:MinimumLevel:Default"] = "Error",
            ["Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime"] = "Error",
        };
        foreach (var (key, value) in settings)
            all[key] = value;
        return new TestSystem(all);
    }
}

[CollectionDefinition(nameof(HostServers))]
public sealed class HostServersCollection : ICollectionFixture<HostServers>;

/// <summary>Servers of their own for the tests of what files and callbacks bring in, which run beside the others.</summary>
[CollectionDefinition(Name)]
public sealed class IntakeServersCollection : ICollectionFixture<HostServers>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Intake";
}
