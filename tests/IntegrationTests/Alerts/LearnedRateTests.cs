using Sagas.IntegrationTests.Host;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Without a configured limit, the rate is learned from the receiver's refusals.</summary>
[Collection(nameof(HostServers))]
public sealed class LearnedRateTests(HostServers servers, ITestOutputHelper output)
{
    [Fact]
    public async Task The_rate_converges_on_what_the_receiver_allows()
    {
        const double allowed = 50;
        await using var system = await AlertSystem.StartAsync(servers, new { perSecond = allowed, burst = 10 });
        system.Drop("alerts.csv", Enumerable.Range(1, 5_000).Select(number => $"user-{number},x"));

        await system.Services.WaitForAsync("SELECT count(*) >= 700 FROM alert_delivery WHERE state = 'delivered'", true);

        // What came first was learning.
        var records = await system.RecordsAsync();
        var last = records.Where(record => record.At > records[^1].At.AddSeconds(-8)).ToArray();
        var rate = last.Count(record => record.Outcome == "Alerted") / 8.0;
        var refused = (double)last.Count(record => record.Outcome == "Limited") / last.Length;
        output.WriteLine($"{rate:0.0}/s of {allowed}/s, {refused:P1} refused");
        Assert.InRange(rate, allowed * 0.7, allowed * 1.05);
        Assert.InRange(refused, 0, 0.1);
    }
}
