using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.ObjectStatus;

/// <summary>A started process with the role <c>status</c> that sweeps only when a test asks, for the tests of a class.</summary>
public sealed class SharedStatus : IAsyncLifetime
{
    private ObjectStatusSystem _system = null!;

    public async Task InitializeAsync() =>
        _system = await ObjectStatusSystem.StartAsync(
            new ServersFixture(),
            ("ObjectStatus:ExpiryTimeout", "00:30:00"),
            ("ObjectStatus:SweepInterval", "01:00:00"),
            ("Roles", "status")
        );

    public async Task DisposeAsync() => await _system.DisposeAsync();

    /// <summary>The system, without any objects.</summary>
    internal async Task<ObjectStatusSystem> EmptyAsync()
    {
        await _system.Host.ExecuteAsync("TRUNCATE object_status");
        return _system;
    }
}
