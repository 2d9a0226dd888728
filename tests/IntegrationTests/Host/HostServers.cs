using Sagas.Harness.LocalServers;

namespace Sagas.IntegrationTests.Host;

/// <summary>One Postgres and one RabbitMQ for the tests of the host; a database and a virtual host for each test.</summary>
public sealed class HostServers : IAsyncLifetime
{
    private int _count;

    internal PrivatePostgres Postgres { get; private set; } = null!;

    internal PrivateRabbitMq RabbitMq { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var postgres = PrivatePostgres.StartAsync();
        RabbitMq = await PrivateRabbitMq.StartAsync();
        Postgres = await postgres;
    }

    public async Task DisposeAsync()
    {
        await RabbitMq.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    /// <summary>A system of its own, not started yet.</summary>
    internal async Task<TestSystem> CreateAsync(params (string Key, string? Value)[] settings)
    {
        var name = $"host{Interlocked.Increment(ref _count)}";
        var all = new Dictionary<string, string?>
        {
            ["ConnectionStrings:Postgres"] = await Postgres.CreateDatabaseAsync(name),
            ["RabbitMq:Uri"] = (await RabbitMq.CreateVirtualHostAsync(name)).ToString(),
            ["urls"] = "http://127.0.0.1:0",
            ["ShutdownTimeout"] = "00:00:10",
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
