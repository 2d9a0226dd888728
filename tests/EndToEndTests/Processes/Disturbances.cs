using System.Diagnostics;
using Sagas.LocalServers;

namespace Sagas.EndToEndTests.Processes;

/// <summary>
/// Kills services and restarts servers at random moments of the work. Moments are shares of the work that is done, not of
/// a time that nobody knows beforehand, so that all of them fall into the work.
/// </summary>
/// <param name="system">The system.</param>
/// <param name="done">How much of the work is done, from 0 to 1.</param>
/// <param name="random">Decides when, whom and how.</param>
/// <param name="say">Told of each disturbance.</param>
internal sealed class Disturbances(RunningSystem system, Func<Task<double>> done, Random random, Action<string> say)
{
    // The last tenth is left alone: a disturbance after the end of the work would test nothing.
    private const double LastMoment = 0.9;

    private static readonly TimeSpan _longestStall = TimeSpan.FromSeconds(120);

    private readonly Lock _lock = new();
    private readonly Stopwatch _sinceProgress = Stopwatch.StartNew();
    private double _done;

    /// <summary>Disturbs the making of payments: the work is what the gateway has settled.</summary>
    /// <param name="system">The system.</param>
    /// <param name="payments">How many payments there will be.</param>
    /// <param name="random">Decides when, whom and how.</param>
    /// <param name="say">Told of each disturbance.</param>
    public Disturbances(RunningSystem system, int payments, Random random, Action<string> say)
        : this(system, async () => await SettledAsync(system) / payments, random, say)
    {
    }

    public int Kills { get; private set; }

    public int Restarts { get; private set; }

    /// <summary>Kills one services process after the other with SIGKILL and starts it again at once, ready or not.</summary>
    public async Task KillServicesAsync(int times, int processes)
    {
        foreach (var moment in Moments(times))
        {
            await ReachAsync(moment);
            var number = Next(1, processes + 1);
            say($"{moment:P0}: SIGKILL {RunningSystem.NameOf(number)}");
            await system.Service(number).KillAsync();
            await system.StartServicesAsync(number);
            Kills++;
        }
    }

    /// <summary>Restarts Postgres, alternately after SIGKILL and after an orderly stop.</summary>
    public Task RestartAsync(PrivatePostgres server, int times) =>
        RestartAsync("Postgres", Moments(times), server.KillAsync, server.StopAsync, server.StartAgainAsync);

    /// <summary>Restarts RabbitMQ, alternately after SIGKILL and after an orderly stop; of several times once at the very
    /// beginning, while the producer publishes.</summary>
    public Task RestartAsync(PrivateRabbitMq server, int times) =>
        RestartAsync("RabbitMQ", times > 1 ? [0, .. Moments(times - 1)] : Moments(times), server.KillAsync, server.StopAsync, server.StartAgainAsync);

    private async Task RestartAsync(
        string name, double[] moments, Func<CancellationToken, Task> kill, Func<CancellationToken, Task> stop, Func<CancellationToken, Task> start)
    {
        var kills = Next(0, 2) == 0;
        foreach (var moment in moments)
        {
            await ReachAsync(moment);
            say($"{moment:P0}: {(kills ? "SIGKILL" : "stop")} {name}");
            await (kills ? kill : stop)(CancellationToken.None);
            await start(CancellationToken.None);
            say($"{name} is back");
            lock (_lock)
                Restarts++;
            kills = !kills;
        }
    }

    private double[] Moments(int count)
    {
        lock (_lock)
            return [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() * LastMoment).Order()];
    }

    private int Next(int least, int limit)
    {
        lock (_lock)
            return random.Next(least, limit);
    }

    private static async Task<double> SettledAsync(RunningSystem system)
    {
        var summary = await system.SummaryAsync();
        return summary.GetProperty("effects").GetInt64() + summary.GetProperty("declines").GetInt64();
    }

    private async Task ReachAsync(double share)
    {
        while (true)
        {
            var now = await done();
            lock (_lock)
            {
                if (now > _done)
                    _sinceProgress.Restart();
                _done = Math.Max(_done, now);
                if (now >= share)
                    return;
                if (_sinceProgress.Elapsed > _longestStall)
                    throw new TimeoutException($"{_done:P1} of the work is done and nothing more in {_longestStall.TotalSeconds:0} s.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }
}
