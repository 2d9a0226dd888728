using System.Diagnostics;
using Sagas.EndToEndTests.Payments;
using Sagas.EndToEndTests.Processes;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Host;

[Collection(SharedServers.Name)]
public sealed class ShutdownTests(ServersFixture servers, ITestOutputHelper output)
{
    private const int Payments = 400;

    // Far longer than an orderly stop needs on a busy machine, so that a process that takes this long was cut off.
    private static readonly TimeSpan _gracePeriod = TimeSpan.FromMinutes(2);

    private readonly Narration _narration = new(output);

    [Fact]
    public async Task SIGTERM_under_load_ends_before_the_grace_period_and_no_request_is_sent_twice()
    {
        await using var shared = await SharedSystem.StartAsync(
            servers,
            processes: 1,
            ("Roles", "sagas,payments"),
            ("ShutdownTimeout", $"{_gracePeriod}"),
            ("Payments:Calls:CallTimeout", "01:00:00"),
            ("Payments:Calls:LeaseMargin", "01:00:00")
        );
        var system = shared.Running;
        // So slow that the gateway is far from done when the signal arrives, even on a busy machine.
        await system.SetLatencyAsync(2_000);
        var workload = new Workload(customers: 200, Payments, _narration.Random);
        await Broker.PublishAsync(system.RabbitMq, workload.Messages, Eventually.Cancellation());
        await Eventually.TrueAsync("some of the payments are settled", async () => await SettledAsync(system) > 0);

        var watch = Stopwatch.StartNew();
        var code = await system.Service(1).TerminateAsync();
        _narration.Say($"ended with {code} after {watch.Elapsed.TotalSeconds:0.0} s; {await SettledAsync(system)} are settled");
        Assert.Equal(0, code);
        Assert.True(watch.Elapsed < _gracePeriod, $"It took {watch.Elapsed}.");
        Assert.True(await SettledAsync(system) < Payments, "Everything was done before the signal: nothing was tested.");
        Assert.Equal(0, await system.QueryAsync<long>("SELECT count(*) FROM outbound_call WHERE state = 'in_flight'"));

        await system.SetLatencyAsync(0);
        await system.StartReadyAsync(processes: 1);
        await new Settlement(system, workload).SettledAsync();
        await new Audit(system, workload).BalancesAsync();
        // The gateway has no faults here: a second request for a payment means that the stop left it unfinished.
        Assert.Equal(Payments, (await system.SummaryAsync()).GetProperty("requests").GetInt32());
    }

    private static async Task<int> SettledAsync(RunningSystem system)
    {
        var summary = await system.SummaryAsync();
        return summary.GetProperty("effects").GetInt32() + summary.GetProperty("declines").GetInt32();
    }
}
