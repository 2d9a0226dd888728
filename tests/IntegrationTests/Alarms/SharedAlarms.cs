using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>A started system with the role <c>alarms</c>, for the tests of a class: each has users of its own.</summary>
public sealed class SharedAlarms : IAsyncLifetime
{
    internal TestSystem System { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        System = await TestSystem.CreateAsync(new ServersFixture(), ("Roles", "alarms"));
        await System.StartAsync();
    }

    public async Task DisposeAsync() => await System.DisposeAsync();
}
