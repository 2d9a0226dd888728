namespace Sagas.IntegrationTests.Host;

/// <summary>A system that the tests of a class share. It starts with the first test that asks for it.</summary>
public abstract class SharedSystem(ITestServers servers, params (string Key, string? Value)[] settings) : IAsyncLifetime
{
    private Task<TestSystem>? _system;

    public Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        if (_system is not null)
            await (await _system).DisposeAsync();
    }

    internal Task<TestSystem> StartedAsync() => _system ??= StartAsync();

    private async Task<TestSystem> StartAsync()
    {
        var system = await TestSystem.CreateAsync(servers, settings);
        await system.StartAsync();
        return system;
    }
}
