using System.Globalization;
using System.Text;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>A learned rate follows what the receiver allows. The clock is moved, so that no test waits.</summary>
public sealed class LearnedRateTests(ServersFixture servers, ITestOutputHelper output) : IClassFixture<ServersFixture>
{
    [Theory]
    [InlineData(200, 200)]
    [InlineData(200, 20)]
    [InlineData(20, 5)]
    public async Task The_allowed_rate_is_found_in_half_a_minute_and_hardly_exceeded_afterwards(double allowed, double burst)
    {
        await using var senders = await SimulatedSenders.CreateAsync(servers);
        (senders.Allowed, senders.Burst) = (allowed, burst);

        await RunAsync(senders, 30);

        await AssertFollowedAsync(senders);
    }

    [Theory]
    [InlineData(300, 20)]
    [InlineData(20, 300)]
    public async Task A_limit_that_changes_is_followed_within_three_quarters_of_a_minute(double before, double after)
    {
        await using var senders = await SimulatedSenders.CreateAsync(servers);
        (senders.Allowed, senders.Burst) = (before, 20);
        await RunAsync(senders, 60);

        senders.Allowed = after;
        await RunAsync(senders, 45);

        await AssertFollowedAsync(senders);
    }

    [Fact]
    public async Task After_many_429_answers_in_a_row_the_rate_recovers_in_half_a_minute()
    {
        await using var senders = await SimulatedSenders.CreateAsync(servers);
        (senders.Allowed, senders.Burst) = (200, 50);
        await RunAsync(senders, 20);

        senders.Allowed = 0;
        await RunAsync(senders, 60);
        senders.Allowed = 200;
        await RunAsync(senders, 30);

        await AssertFollowedAsync(senders);
    }

    [Fact]
    public async Task A_receiver_with_a_low_limit_gets_few_calls_too_many()
    {
        await using var senders = await SimulatedSenders.CreateAsync(servers);
        (senders.Allowed, senders.Burst) = (1, 1);
        await RunAsync(senders, 150);

        await RunAsync(senders, 200);

        Assert.InRange(senders.Last(200).PerSecond, 0.8, 1.02);
        Assert.InRange(senders.Last(200).Limited, 0, 0.05);
    }

    private async Task RunAsync(SimulatedSenders senders, double seconds)
    {
        var line = new StringBuilder($"{senders.Allowed}/s allowed, every 5 s:");
        for (var passed = 0.0; passed < seconds; passed += 5)
        {
            await senders.RunAsync(5);
            line.Append(CultureInfo.InvariantCulture, $" {senders.Last(5).PerSecond:0.#}");
        }

        output.WriteLine($"{line}; {senders.Last(seconds).Limited:P2} limited");
    }

    // The rate is reached and held with few 429 answers; without any, the limit cannot be found.
    private async Task AssertFollowedAsync(SimulatedSenders senders)
    {
        await RunAsync(senders, 40);
        Assert.InRange(senders.Last(40).PerSecond, senders.Allowed * 0.75, senders.Allowed * 1.03);
        Assert.InRange(senders.Last(40).Limited, 0, 0.02);
    }
}
