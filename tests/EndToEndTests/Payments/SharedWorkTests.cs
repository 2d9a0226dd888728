using Sagas.EndToEndTests.Processes;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Payments;

[Collection(SharedServers.Name)]
public sealed class SharedWorkTests(ServersFixture servers, ITestOutputHelper output)
{
    private const int Processes = 2;

    // Every transition then tells which process wrote it; the services do not notice.
    private const string SignTransitions =
        "ALTER TABLE saga_transition ADD COLUMN written_by text NOT NULL DEFAULT current_setting('application_name')";

    private readonly Narration _narration = new(output);

    [Fact]
    public async Task Two_processes_share_the_work_and_the_books_balance()
    {
        await using var shared = await SharedSystem.StartAsync(servers, Processes, ("Roles", "sagas,payments"));
        var system = shared.Running;
        await system.ExecuteAsync(SignTransitions);
        var workload = new Workload(customers: 300, payments: 600, _narration.Random);
        _narration.Say("everything runs");
        await Broker.PublishAsync(system.RabbitMq, workload.Messages, Eventually.Cancellation());
        var settlement = new Settlement(system, workload);
        await settlement.SettledAsync();
        _narration.Say($"{workload.Orders.Count} payments are settled");

        var all = await system.QueryAsync<long>("SELECT count(*) FROM saga_transition");
        for (var number = 1; number <= Processes; number++)
        {
            var name = RunningSystem.NameOf(number);
            var written = await system.QueryAsync<long>($"SELECT count(*) FROM saga_transition WHERE written_by = '{name}'");
            _narration.Say($"{name}: {written} of {all} transitions");
            // However long one of them stands still: the broker has sent it a part of the messages.
            Assert.True(written > 0, $"{name} wrote none of {all} transitions.");
        }

        await settlement.QueuesHoldNothingNewAsync();
        await new Audit(system, workload).BalancesAsync();
    }
}
