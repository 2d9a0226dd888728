using Sagas.EndToEndTests.Payments;

namespace Sagas.EndToEndTests.Processes;

/// <summary>Tests that do not kill servers share them, and run one after the other in parallel to those that do.</summary>
[CollectionDefinition(Name)]
public sealed class SharedServers : ICollectionFixture<ServersFixture>, ICollectionFixture<OneProcess>
{
    public const string Name = "shared servers";
}

/// <summary>One services process with all roles, for tests that use messages of their own.</summary>
public sealed class OneProcess : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private SharedSystem? _system;

    /// <summary>The system; the first call starts it.</summary>
    internal async Task<RunningSystem> StartedAsync()
    {
        await _starting.WaitAsync();
        try
        {
            _system ??= await SharedSystem.StartAsync(new ServersFixture(), processes: 1);
            return _system.Running;
        }
        finally
        {
            _starting.Release();
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_system is not null)
            await _system.DisposeAsync();
        _starting.Dispose();
    }
}

/// <summary>A system with a database and a virtual host of the shared servers.</summary>
internal sealed class SharedSystem : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly TestVirtualHost _virtualHost;

    private SharedSystem(TestDatabase database, TestVirtualHost virtualHost, (string, string)[] settings)
    {
        _database = database;
        _virtualHost = virtualHost;
        Running = new RunningSystem(database.ConnectionString, virtualHost.Uri, settings);
    }

    public RunningSystem Running { get; }

    /// <summary>Starts the gateway and services, and awaits that they are ready.</summary>
    /// <param name="servers">The servers.</param>
    /// <param name="processes">How many services processes.</param>
    /// <param name="settings">More configuration of the services.</param>
    public static async Task<SharedSystem> StartAsync(
        ServersFixture servers,
        int processes,
        params (string Key, string Value)[] settings
    )
    {
        var virtualHost = servers.CreateVirtualHostAsync("e2e");
        var system = new SharedSystem(await servers.CreateDatabaseAsync("e2e"), await virtualHost, settings);
        try
        {
            await Task.WhenAll(
                system.Running.StartSimulatorsAsync(("Gateway:Faults:Latency:MaxMs", "10")),
                PaymentEvents.ListenAsync(system._virtualHost.Uri)
            );
            await system.Running.StartReadyAsync(processes);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Running.DisposeAsync();
        await _virtualHost.DisposeAsync();
        await _database.DisposeAsync();
    }
}
