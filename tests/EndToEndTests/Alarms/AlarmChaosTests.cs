using System.Diagnostics;
using System.Globalization;
using Npgsql;
using RabbitMQ.Client.Exceptions;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Alarms;

/// <summary>Processes and servers die at random while alarms change and digests go out; afterwards every change was told once.</summary>
public sealed class AlarmChaosTests(ITestOutputHelper output)
{
    private const int Processes = 2;
    private const int Producers = 4;
    private const int PartSize = 1_000;

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    [Fact]
    [Trait("Category", "Chaos")]
    public Task No_change_is_lost_or_told_twice_when_services_are_killed_and_servers_restart() =>
        RunAsync(users: 500, alarms: 10, changes: 40_000, requests: 800, kills: 3, restarts: 1, Eventually.Timeout);

    [Fact]
    [Trait("Category", "ChaosFull")]
    public Task No_change_is_lost_or_told_twice_of_a_million_with_ten_kills() =>
        RunAsync(users: 5_000, alarms: 20, changes: 1_000_000, requests: 10_000, kills: 10, restarts: 3, TimeSpan.FromMinutes(5));

    private async Task RunAsync(int users, int alarms, int changes, int requests, int kills, int restarts, TimeSpan patience)
    {
        var seed = Environment.GetEnvironmentVariable("SAGAS_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        Say($"SAGAS_TEST_SEED={seed}");
        var starting = PrivatePostgres.StartAsync();
        await using var rabbitMq = await PrivateRabbitMq.StartAsync();
        await using var postgres = await starting;
        await using var system = new RunningSystem(await postgres.CreateDatabaseAsync("sagas"), rabbitMq.Uri, ("Roles", "alarms"));
        var services = await Task.WhenAll(Enumerable.Range(1, Processes).Select(system.StartServicesAsync));
        await Task.WhenAll(services.Select(service => service.ReadyAsync()));
        Say("everything runs");

        var random = new Random(seed);
        var workload = new AlarmWorkload(users, alarms, changes, requests, random);
        var (parts, published) = (workload.Arrival.Length / PartSize, 0);
        var disturbances = new Disturbances(system, () => Task.FromResult(Volatile.Read(ref published) / (double)parts), random, Say);
        var started = _watch.Elapsed;
        var publishing = Parallel.ForEachAsync(
            Enumerable.Range(0, parts), new ParallelOptions { MaxDegreeOfParallelism = Producers }, async (part, stop) =>
            {
                await Broker.PublishAsync(rabbitMq.Uri, [.. workload.Part(part, parts)], stop);
                Interlocked.Increment(ref published);
            });
        await Task.WhenAll(
            publishing,
            disturbances.KillServicesAsync(kills, Processes),
            disturbances.RestartAsync(rabbitMq, restarts),
            disturbances.RestartAsync(postgres, restarts));
        Say($"{workload.Arrival.Length} changes are published");
        await WaitAsync(system, "every alarm to be as of its newest change", NewestSql(workload), patience);
        Say($"all changes are in the database after {(_watch.Elapsed - started).TotalSeconds:0.0} s");
        await Broker.PublishAsync(rabbitMq.Uri, [.. Enumerable.Range(0, users).Select(AlarmWorkload.Request)], CancellationToken.None);
        await WaitAsync(
            system, "everything to be told", "SELECT NOT EXISTS (SELECT FROM alarms_overview WHERE to_tell) AND NOT EXISTS (SELECT FROM outbox_message)", patience);
        // What is unacknowledged shows in no count: stopped services leave it in their queues.
        Assert.All(await Task.WhenAll(system.Services.Select(service => service.TerminateAsync())), code => Assert.Equal(0, code));
        Say("the services have ended");
        var audit = new DigestAudit(system, workload);
        await audit.BalancesAsync();
        Summarise(workload, disturbances, audit);
    }

    private static string NewestSql(AlarmWorkload workload) => string.Create(
        CultureInfo.InvariantCulture,
        $"SELECT count(*) = {workload.Newest.Count} AND sum((changed_at - {Report.Start}) * 1000000000) = {workload.Newest.Values.Sum(number => (long)number)} FROM alarm");

    private async Task WaitAsync(RunningSystem system, string what, string sql, TimeSpan patience)
    {
        var until = _watch.Elapsed + patience;
        while (_watch.Elapsed < until)
        {
            try
            {
                await using var connection = await Broker.ConnectAsync(system.RabbitMq);
                if (await Broker.CountAsync(connection, "AlarmStatusChanged") is 0 && await Broker.CountAsync(connection, "SendAlarmDigest") is 0
                    && await system.QueryAsync<bool>(sql))
                    return;
            }
            catch (Exception e) when (e is NpgsqlException or BrokerUnreachableException or RabbitMQClientException or IOException)
            {
                // A server that restarts.
            }

            await Task.Delay(100);
        }

        Assert.Fail($"{what} was awaited for {patience.TotalSeconds:0} s in vain.\n{string.Join("\n\n", system.Services.Select(service => service.LastLines(25)))}");
    }

    private void Summarise(AlarmWorkload workload, Disturbances disturbances, DigestAudit audit)
    {
        (string What, int Count)[] rows =
        [
            ("changes", workload.Reports.Length),
            ("  reported twice", workload.Arrival.Length - workload.Reports.Length),
            ("digests asked for", workload.Requests + workload.Users),
            ("services killed", disturbances.Kills),
            ("servers restarted", disturbances.Restarts),
            ("digests", audit.Digests),
            ("  delivered again (same id)", audit.Repeated),
            ("alarms told", audit.TellingsOfAlarms),
            ("lost", audit.Lost),
            ("told twice", audit.ToldTwice),
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
