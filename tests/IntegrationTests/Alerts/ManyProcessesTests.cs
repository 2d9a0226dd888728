using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Sagas.IntegrationTests.Host;
using Sagas.OutboundCalls;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Two processes that deliver to one receiver.</summary>
public sealed class ManyProcessesTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task Together_they_keep_to_the_configured_rate()
    {
        const int perSecond = 200;
        const int rows = 600;
        await using var system = await AlertSystem.StartAsync(
            servers,
            new { perSecond = 0 },
            ("Alerts:Limit:PerSecond", $"{perSecond}")
        );
        await using var other = system.Services.AnotherProcess();
        await other.StartAsync();

        var watch = Stopwatch.StartNew();
        system.Drop("users.csv", Enumerable.Range(1, rows).Select(number => $"{number},m"));
        await system.WaitForStateAsync("delivered", rows);

        // Only a lower bound, since a busy machine takes longer. Another test shows that no permits are left unused.
        Assert.True(watch.Elapsed.TotalSeconds > rows / (perSecond * 1.02), $"{rows} alerts took {watch.Elapsed}.");
        Assert.Equal(rows, (await system.AlertedAsync()).Length);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task When_one_is_asked_to_wait_both_do(int answer)
    {
        const int rows = 500;
        await using var system = await AlertSystem.StartAsync(servers, new { perSecond = 0 }, ("Alerts:Limit:PerSecond", "200"));
        await using var other = system.Services.AnotherProcess();
        await other.StartAsync();
        system.ForcedStatus = answer;

        system.Drop("users.csv", Enumerable.Range(1, rows).Select(number => $"{number},m"));
        await Eventually.TrueAsync("a pause in both processes", () => IsPaused(system.Services) && IsPaused(other));
        // The first such response may come while calls are in flight. Once they have finished, there are no more calls.
        await system.Services.WaitForAsync(
            """
            SELECT NOT EXISTS (SELECT FROM outbound_call WHERE state = 'in_flight')
               AND EXISTS (SELECT FROM outbound_call WHERE due <= now())
            """,
            true
        );
        var before = system.ForcedResponses;
        Assert.InRange(before, 1, rows - 1);
        await other.StopAsync();
        await system.Services.StopAsync();
        Assert.Equal(before, system.ForcedResponses);

        system.ForcedStatus = null;
        await system.Services.ExecuteAsync(
            "UPDATE rate_limit SET paused_until = now(), next_permit_at = now(), version = version + 1"
        );
        await system.Services.StartAsync();
        await system.Services.ExecuteAsync("UPDATE outbound_call SET due = now() WHERE due IS NOT NULL");
        await system.WaitForStateAsync("delivered", rows);
        Assert.Equal(rows, (await system.AlertedAsync()).Length);
    }

    private static bool IsPaused(TestSystem process) =>
        process
            .Services.GetRequiredService<OutboundCallStatus>()
            .Targets.Any(target => target.BlockedFor > TimeSpan.FromMinutes(30));
}
