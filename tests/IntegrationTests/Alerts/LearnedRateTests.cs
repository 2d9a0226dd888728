using Sagas.IntegrationTests.Host;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Without a configured limit, the rate is learned from the receiver's 429 answers.</summary>
public sealed class LearnedRateTests(ServersFixture servers, ITestOutputHelper output) : IClassFixture<ServersFixture>
{
    private const double Allowed = 50;
    private const double Seconds = 3;

    [Fact]
    public async Task The_rate_converges_on_what_the_receiver_allows()
    {
        await using var system = await AlertSystem.StartAsync(servers, new { perSecond = Allowed, burst = Allowed });
        system.Drop("alerts.csv", Enumerable.Range(1, 10_000).Select(number => $"user-{number},x"));

        // A busy machine takes longer.
        await Eventually.TrueAsync(
            "the rate that the receiver allows",
            async () =>
            {
                var records = await system.RecordsAsync();
                var last = records.Where(record => record.At > records.Last().At.AddSeconds(-Seconds)).ToArray();
                var rate = last.Count(record => record.Outcome == "Alerted") / Seconds;
                var limited = (double)last.Count(record => record.Outcome == "Limited") / Math.Max(last.Length, 1);
                output.WriteLine($"{rate:0.0}/s of {Allowed}/s, {limited:P1} limited");
                return records.Length > 0
                    && rate >= Allowed * 0.5
                    && limited <= 0.05
                    && records[^1].At > records[0].At.AddSeconds(Seconds * 2);
            }
        );
    }
}
