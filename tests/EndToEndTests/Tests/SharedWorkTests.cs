using System.Diagnostics;
using Sagas.EndToEndTests.Books;
using Sagas.EndToEndTests.Processes;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Tests;

[Collection(SharedServers.Name)]
public sealed class SharedWorkTests(ServersFixture servers, ITestOutputHelper output)
{
    private const int Processes = 3;

    // Every transition then tells which process wrote it; the services do not notice.
    private const string SignTransitions =
        "ALTER TABLE saga_transition ADD COLUMN written_by text NOT NULL DEFAULT current_setting('application_name')";

    [Fact]
    public async Task Three_processes_share_the_work_and_the_books_balance()
    {
        await using var shared = await SharedSystem.StartAsync(servers, Processes);
        var system = shared.Running;
        await system.ExecuteAsync(SignTransitions);
        var workload = new Workload(customers: 1_500, payments: 3_000, Random.Shared);
        var watch = Stopwatch.StartNew();
        using var stop = new CancellationTokenSource(Eventually.Timeout);
        await Broker.PublishAsync(system.RabbitMq, workload.Messages, stop.Token);
        var settlement = new Settlement(system, workload);
        await settlement.SettledAsync(Eventually.Timeout);
        output.WriteLine($"{workload.Orders.Count} payments in {watch.Elapsed.TotalSeconds:0.0} s");

        var all = await system.QueryAsync<long>("SELECT count(*) FROM saga_transition");
        for (var number = 1; number <= Processes; number++)
        {
            var name = RunningSystem.NameOf(number);
            var written = await system.QueryAsync<long>($"SELECT count(*) FROM saga_transition WHERE written_by = '{name}'");
            output.WriteLine($"{name}: {written} of {all} transitions");
            // However long one of them stands still: the broker has sent it a part of the messages, which nobody else does then.
            Assert.True(written > 0, $"{name} wrote none of {all} transitions.");
        }

        await settlement.QueuesAreEmptyAsync();
        await new Audit(system, workload).BalancesAsync();
    }
}
