using System.Net.Http.Json;
using Microsoft.Extensions.Time.Testing;

namespace Sagas.UnitTests.Simulators;

/// <summary>Simulators shared by the tests of a class. Their clock stands still unless a test moves it.</summary>
public sealed class SharedSimulators : IAsyncLifetime
{
    private RunningGateway _simulators = null!;

    public FakeTimeProvider Time { get; } = new();

    public async Task InitializeAsync() =>
        _simulators = await RunningGateway.StartAsync(Time, ("Webhooks:Behaviour:PerSecond", "0"));

    public async Task DisposeAsync() => await _simulators.DisposeAsync();

    /// <summary>The simulators without records and without faults.</summary>
    internal async Task<RunningGateway> CleanAsync()
    {
        foreach (var thirdParty in (string[])["payments", "crm", "object-status", "webhooks"])
        {
            using var deleted = await _simulators.Client.DeleteAsync(new Uri($"/{thirdParty}", UriKind.Relative));
            using var reset = await _simulators.Client.PutAsJsonAsync($"/{thirdParty}/faults", new { });
            Assert.True(deleted.IsSuccessStatusCode && reset.IsSuccessStatusCode);
        }

        return _simulators;
    }
}
