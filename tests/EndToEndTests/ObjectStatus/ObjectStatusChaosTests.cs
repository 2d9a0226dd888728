using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.ObjectStatus;

/// <summary>Processes and servers die at random while callbacks are taken and statuses fetched; every id that was acknowledged is
/// fetched and seen.</summary>
public sealed class ObjectStatusChaosTests(ITestOutputHelper output)
{
    private const int Processes = 2;
    private const double LastMoment = 0.9;

    private static readonly string[] _queues = ["object-status-lists", "object-status"];

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    [Fact]
    [Trait("Category", "Chaos")]
    public Task No_acknowledged_object_is_lost_when_services_are_killed_and_servers_restart() =>
        RunAsync(objects: 6_000, kills: 3, restarts: 1, minMs: 50, maxMs: 500);

    [Fact]
    [Trait("Category", "ChaosFull")]
    public Task No_acknowledged_object_of_twenty_thousand_is_lost_in_twenty_kills() =>
        RunAsync(objects: 20_000, kills: 20, restarts: 3, minMs: 300, maxMs: 4300);

    private async Task RunAsync(int objects, int kills, int restarts, int minMs, int maxMs)
    {
        var seed = Environment.GetEnvironmentVariable("SAGAS_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        Say($"SAGAS_TEST_SEED={seed}");
        var starting = PrivatePostgres.StartAsync();
        await using var rabbitMq = await PrivateRabbitMq.StartAsync();
        await using var postgres = await starting;
        await using var system = new RunningSystem(
            await postgres.CreateDatabaseAsync("sagas"),
            rabbitMq.Uri,
            ("Roles", "callback,status"),
            // What was seen is counted at the end; what is put off comes back before it.
            ("ObjectStatus:Expiry", "01:00:00"),
            ("ObjectStatus:RedeliveryDelay", "00:00:01"))
        {
            CallbackPorts = LoopbackPorts.Pick(Processes),
        };
        await system.StartGatewayAsync();
        await SetFaultsAsync(system, minMs, maxMs);
        var services = await Task.WhenAll(Enumerable.Range(1, Processes).Select(system.StartServicesAsync));
        await Task.WhenAll(services.Select(service => service.ReadyAsync()));
        Say("everything runs");

        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        using var client = new CallbackClient(system.CallbackPorts, objects);
        var random = new Random(seed);
        var posting = client.PostAllAsync(stop.Token);
        await DisturbAsync(system, client, Plan(system, postgres, rabbitMq, kills, restarts, random), posting);
        await posting;
        Say($"{client.Acknowledged.Count} objects are acknowledged; {client.Failures} posts were not and were posted again");

        await Eventually.TrueAsync(
            "every acknowledged object has a row, and no message is left in the outbox",
            async () => await system.QueryAsync<long>("SELECT count(*) - (SELECT count(*) FROM outbox_message) FROM object_status") >= objects,
            Eventually.Timeout);
        Say("all are seen");
        // What is unacknowledged shows in no count: stopped services leave it in their queues.
        Assert.All(await Task.WhenAll(system.Services.Select(service => service.TerminateAsync())), code => Assert.Equal(0, code));
        await BalanceAsync(system, client);
    }

    // Each moment is a share of the acknowledged objects.
    private IReadOnlyList<(double Moment, Func<Task> Act)> Plan(
        RunningSystem system, PrivatePostgres postgres, PrivateRabbitMq rabbitMq, int kills, int restarts, Random random)
    {
        var plan = new List<(double Moment, Func<Task> Act)>();
        for (var kill = 0; kill < kills; kill++)
        {
            var number = random.Next(1, Processes + 1);
            plan.Add((random.NextDouble() * LastMoment, () => KillAsync(system, number)));
        }

        for (var restart = 0; restart < restarts; restart++)
        {
            plan.Add((random.NextDouble() * LastMoment, () => RestartAsync("Postgres", postgres.KillAsync, postgres.StartAgainAsync)));
            plan.Add((random.NextDouble() * LastMoment, () => RestartAsync("RabbitMQ", rabbitMq.KillAsync, rabbitMq.StartAgainAsync)));
        }

        return [.. plan.OrderBy(disturbance => disturbance.Moment)];
    }

    private static async Task DisturbAsync(
        RunningSystem system, CallbackClient client, IReadOnlyList<(double Moment, Func<Task> Act)> plan, Task posting)
    {
        foreach (var (moment, act) in plan)
        {
            while (client.Share < moment && !posting.IsCompleted)
                await Task.Delay(20);
            await act();
        }

        foreach (var service in system.Services)
            await service.ReadyAsync();
    }

    private async Task KillAsync(RunningSystem system, int number)
    {
        Say($"SIGKILL {RunningSystem.NameOf(number)}");
        await system.Service(number).KillAsync();
        await system.StartServicesAsync(number);
    }

    private async Task RestartAsync(string name, Func<CancellationToken, Task> kill, Func<CancellationToken, Task> start)
    {
        Say($"SIGKILL {name}");
        await kill(CancellationToken.None);
        await start(CancellationToken.None);
        Say($"{name} is back");
    }

    private async Task BalanceAsync(RunningSystem system, CallbackClient client)
    {
        using var http = new HttpClient();
        var answered = (await http.GetFromJsonAsync<Dictionary<string, int>>(new Uri(system.Gateway, "/object-status/answered")))!;
        var seen = (await system.LinesAsync("SELECT object_id FROM object_status")).ToHashSet();
        Assert.All(client.Acknowledged, id => Assert.True(answered.ContainsKey(id), $"{id} was acknowledged and never fetched."));
        Assert.All(client.Acknowledged, id => Assert.True(seen.Contains(id), $"{id} was acknowledged and has no row."));

        await using var connection = await Broker.ConnectAsync(system.RabbitMq);
        foreach (var queue in _queues)
        {
            Assert.Equal(0u, await Broker.CountAsync(connection, queue));
            Assert.Empty(await Broker.PeekAsync(connection, queue + "_error", 10));
        }

        Say(string.Create(CultureInfo.InvariantCulture, $"{client.Acknowledged.Count:N0} acknowledged, 0 lost; {answered.Values.Sum():N0} answers"));
    }

    private static async Task SetFaultsAsync(RunningSystem system, int minMs, int maxMs)
    {
        using var http = new HttpClient();
        using var response = await http.PutAsJsonAsync(
            new Uri(system.Gateway, "/object-status/faults"), new { failBefore = 0.03, lostAfter = 0.02, garbage = 0.01, latency = new { minMs, maxMs } });
        response.EnsureSuccessStatusCode();
    }

    private void Say(string text)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{_watch.Elapsed.TotalSeconds,7:0.0} s  {text}");
        output.WriteLine(line);
        Console.WriteLine(line);
    }
}
