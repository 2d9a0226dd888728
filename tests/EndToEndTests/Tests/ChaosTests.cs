using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Sagas.EndToEndTests.Books;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Tests;

/// <summary>Processes and servers die at random while payments are made; afterwards every payment was made once.</summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int Processes = 2;

    // Beside the failures, the gateway's usual time: 2 to 20 ms, and now and then a third of a second.
    private static readonly (string, string)[] _faults =
    [
        ("FailBefore", "0.05"), ("LostAfter", "0.05"), ("TooManyRequests", "0.02"),
        ("Latency:MinMs", "2"), ("Latency:MaxMs", "20"), ("SlowRate", "0.02"), ("SlowMs", "300"),
    ];

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    [Fact]
    [Trait("Category", "Chaos")]
    public Task Nothing_is_lost_or_done_twice_when_services_are_killed_and_servers_restart() =>
        RunAsync(customers: 1_000, payments: 2_000, kills: 3, restarts: 1, Eventually.Timeout);

    [Fact]
    [Trait("Category", "ChaosFull")]
    public Task Nothing_is_lost_or_done_twice_in_twenty_thousand_payments_with_twenty_kills() =>
        RunAsync(customers: 10_000, payments: 20_000, kills: 20, restarts: 3, TimeSpan.FromMinutes(5));

    private async Task RunAsync(int customers, int payments, int kills, int restarts, TimeSpan patience)
    {
        var seed = Environment.GetEnvironmentVariable("SAGAS_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        Say($"SAGAS_TEST_SEED={seed}");
        var starting = PrivatePostgres.StartAsync();
        await using var rabbitMq = await PrivateRabbitMq.StartAsync();
        await using var postgres = await starting;
        await using var system = new RunningSystem(await postgres.CreateDatabaseAsync("sagas"), rabbitMq.Uri);
        await Task.WhenAll(system.StartGatewayAsync(_faults), PaymentEvents.ListenAsync(rabbitMq.Uri));
        var services = await Task.WhenAll(Enumerable.Range(1, Processes).Select(system.StartServicesAsync));
        await Task.WhenAll(services.Select(service => service.ReadyAsync()));
        Say("everything runs");

        var random = new Random(seed);
        var workload = new Workload(customers, payments, random);
        var disturbances = new Disturbances(system, payments, random, Say);
        var settlement = new Settlement(system, workload);
        var started = _watch.Elapsed;
        var publishing = PublishAsync(rabbitMq.Uri, workload);
        try
        {
            await Task.WhenAll(
                publishing,
                disturbances.KillServicesAsync(kills, Processes),
                disturbances.RestartAsync(rabbitMq, restarts),
                disturbances.RestartAsync(postgres, restarts));
        }
        catch (TimeoutException e)
        {
            Assert.Fail($"{e.Message}\n{await settlement.DescribeAsync()}");
        }

        await settlement.SettledAsync(patience);
        var took = _watch.Elapsed - started;
        Say("settled");
        // What is unacknowledged shows in no count: stopped services leave it in their queues.
        Assert.All(await Task.WhenAll(system.Services.Select(service => service.TerminateAsync())), code => Assert.Equal(0, code));
        Say("the services have ended");
        await settlement.QueuesAreEmptyAsync();
        var audit = new Audit(system, workload);
        await audit.BalancesAsync();
        Say("the books balance");
        Summarise(workload, disturbances, audit, took, await publishing, await system.SummaryAsync());
    }

    private async Task<int> PublishAsync(Uri rabbitMq, Workload workload)
    {
        using var stop = new CancellationTokenSource(Eventually.Timeout);
        var losses = await Broker.PublishAsync(rabbitMq, workload.Messages, stop.Token);
        Say($"{workload.Messages.Count} messages are published");
        return losses;
    }

    private void Summarise(Workload workload, Disturbances disturbances, Audit audit, TimeSpan took, int losses, JsonElement gateway)
    {
        (string What, object Count)[] rows =
        [
            ("customers", workload.Customers),
            ("payments", workload.Orders.Count),
            ("seconds until all was settled", took.TotalSeconds),
            ("services killed", disturbances.Kills),
            ("servers restarted", disturbances.Restarts),
            ("connections the producer lost", losses),
            ("requests at the gateway", gateway.GetProperty("requests").GetInt64()),
            ("  that met a fault", gateway.GetProperty("faults").GetInt64()),
            ("  answered from its memory", gateway.GetProperty("replays").GetInt64()),
            ("charges", gateway.GetProperty("effects").GetInt64()),
            ("declines", gateway.GetProperty("declines").GetInt64()),
            ("charged twice", gateway.GetProperty("duplicateEffects").GetInt64() + gateway.GetProperty("duplicatePayments").GetInt64()),
            ("calls tried more than once", audit.RetriedCalls),
            ("events delivered again (same id)", audit.RepeatedEvents),
        ];
        foreach (var (what, count) in rows)
            Say(string.Create(CultureInfo.InvariantCulture, $"{what,-36}{count,10:N0}"));
    }

    private void Say(string text)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{_watch.Elapsed.TotalSeconds,7:0.0} s  {text}");
        output.WriteLine(line);
        Console.WriteLine(line);
    }
}
