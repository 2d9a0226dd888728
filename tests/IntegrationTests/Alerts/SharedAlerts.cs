namespace Sagas.IntegrationTests.Alerts;

/// <summary>A started system for the tests of a class; each test has users and files of its own.</summary>
public abstract class SharedAlerts : IAsyncLifetime
{
    /// <summary>The system, with the receiver as the last test left it.</summary>
    internal AlertSystem System { get; private set; } = null!;

    private protected abstract (string Key, string? Value)[] Settings { get; }

    public async Task InitializeAsync() =>
        System = await AlertSystem.StartAsync(new ServersFixture(), new { perSecond = 0 }, Settings);

    public async Task DisposeAsync() => await System.DisposeAsync();
}
