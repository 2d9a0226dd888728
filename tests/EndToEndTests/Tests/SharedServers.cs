using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Tests;

/// <summary>Tests that leave the servers alone share them, and run one after the other beside those that do not.</summary>
[CollectionDefinition(Name)]
public sealed class SharedServers : ICollectionFixture<ServersFixture>
{
    public const string Name = "shared servers";
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

    /// <summary>Starts the gateway and services, and waits until they are ready.</summary>
    /// <param name="servers">The servers.</param>
    /// <param name="processes">How many services processes.</param>
    /// <param name="settings">More configuration of the services.</param>
    public static async Task<SharedSystem> StartAsync(ServersFixture servers, int processes, params (string Key, string Value)[] settings)
    {
        var virtualHost = servers.CreateVirtualHostAsync("e2e");
        var system = new SharedSystem(await servers.CreateDatabaseAsync("e2e"), await virtualHost, settings);
        try
        {
            await Task.WhenAll(system.Running.StartGatewayAsync(("Latency:MaxMs", "10")), Books.PaymentEvents.ListenAsync(system._virtualHost.Uri));
            var started = await Task.WhenAll(Enumerable.Range(1, processes).Select(system.Running.StartServicesAsync));
            await Task.WhenAll(started.Select(process => process.ReadyAsync()));
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
