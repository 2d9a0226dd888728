using System.Diagnostics;
using Sagas.TestSupport.Servers;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Sagas.TestSupport.Chaos;

/// <summary>
/// A test that disturbs a system while it works, lets it finish, stops it, and then balances its books. The moment of a
/// disturbance is a share of the work, so that all disturbances happen during the work, on any machine.
/// </summary>
/// <param name="servers">The servers that the system uses and that are restarted.</param>
/// <param name="output">The test's output.</param>
public abstract class ChaosTest(KillableServers servers, ITestOutputHelper output)
{
    // No disturbance falls into the last tenth: after the end of the work it would test nothing.
    private const double LastMoment = 0.9;

    private static readonly TimeSpan _lookInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>The servers that the system uses.</summary>
    protected KillableServers Servers => servers;

    /// <summary>The test's log and its random numbers.</summary>
    protected Narration Narration { get; } = new(output);

    /// <summary>Starts the system and awaits that it is ready.</summary>
    protected abstract Task StartAsync();

    /// <summary>The disturbances; called once, after the start.</summary>
    protected abstract IEnumerable<Disturbance> Plan();

    /// <summary>Submits all work. Its results are awaited later.</summary>
    protected abstract Task WorkAsync();

    /// <summary>How much of the work is done, from 0 to 1. May fail while a server is unavailable.</summary>
    protected abstract Task<double> ShareAsync();

    /// <summary>What is still under way; empty where nothing is. May fail while a server is unavailable.</summary>
    protected abstract Task<string> UnsettledAsync();

    /// <summary>Stops the system in an orderly way; unacknowledged messages are then back in their queues.</summary>
    protected abstract Task StopAsync();

    /// <summary>Checks that nothing is lost and nothing is done twice.</summary>
    protected abstract Task BalanceAsync();

    /// <summary>The state of everything, for the message of a failure.</summary>
    protected abstract Task<string> DescribeAsync();

    /// <summary>Runs the test.</summary>
    /// <param name="timeout">How long the system may take to finish after the last disturbance.</param>
    protected async Task RunAsync(TimeSpan? timeout = null)
    {
        try
        {
            await StartAsync();
            Narration.Say("everything runs");
            Disturbance[] plan = [.. Plan()];
            var started = Narration.Elapsed;
            var work = WorkAsync();
            await DisturbAsync(plan, work);
            await work;
            Narration.Say("the work is submitted and the last disturbance is over");
            await Eventually.EqualAsync("", UnsettledAsync, timeout, "what is under way");
            Narration.Say($"everything is settled, after {(Narration.Elapsed - started).TotalSeconds:0.0} s of work");
            await StopAsync();
            Narration.Say("the system has stopped");
            await BalanceAsync();
            Narration.Say("the books balance");
        }
        catch (Exception e)
        {
            throw new XunitException($"{Narration.Seed}\n{e.Message}\n{await TryDescribeAsync()}", e);
        }
    }

    /// <summary>Random moments, in order.</summary>
    protected double[] Moments(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Narration.Random.NextDouble() * LastMoment).Order()];

    /// <summary>Restarts Postgres, alternately after SIGKILL and after an orderly stop.</summary>
    protected IEnumerable<Disturbance> RestartPostgres(int times) =>
        Restart(
            "Postgres",
            Moments(times),
            Servers.Postgres.KillAsync,
            Servers.Postgres.StopAsync,
            Servers.Postgres.StartAgainAsync
        );

    /// <summary>Restarts RabbitMQ likewise; of several times once at the very beginning, while producers publish.</summary>
    protected IEnumerable<Disturbance> RestartRabbitMq(int times) =>
        Restart(
            "RabbitMQ",
            times > 1 ? [0, .. Moments(times - 1)] : Moments(times),
            Servers.RabbitMq.KillAsync,
            Servers.RabbitMq.StopAsync,
            Servers.RabbitMq.StartAgainAsync
        );

    private IEnumerable<Disturbance> Restart(
        string server,
        double[] moments,
        Func<CancellationToken, Task> kill,
        Func<CancellationToken, Task> stop,
        Func<CancellationToken, Task> start
    )
    {
        var kills = Narration.Random.Next(2) == 0;
        foreach (var moment in moments)
        {
            var end = kills ? kill : stop;
            yield return new Disturbance(
                server,
                moment,
                kills ? "SIGKILL" : "stop",
                async () =>
                {
                    await end(CancellationToken.None);
                    await start(CancellationToken.None);
                    Narration.Say($"{server} is back");
                }
            );
            kills = !kills;
        }
    }

    private async Task DisturbAsync(IEnumerable<Disturbance> plan, Task work)
    {
        DisturbanceTrack[] tracks = [.. plan.GroupBy(disturbance => disturbance.Target).Select(one => new DisturbanceTrack(one))];
        var (done, sinceProgress) = (-1.0, Stopwatch.StartNew());
        while (!tracks.All(track => track.IsOver))
        {
            if (work.IsFaulted)
                await work;
            var share = await Eventually.MatchesAsync("how much of the work is done", ShareAsync, _ => true);
            if (share > done)
                (done, sinceProgress) = (share, Stopwatch.StartNew());
            Assert.True(sinceProgress.Elapsed < Eventually.Timeout, $"{done:P1} of the work is done, then no progress.");
            foreach (var track in tracks)
                await track.AdvanceAsync(done, Narration.Say);
            await Task.Delay(_lookInterval);
        }
    }

    private async Task<string> TryDescribeAsync()
    {
        try
        {
            return await DescribeAsync();
        }
        catch (Exception e)
        {
            return $"The description failed: {e.Message}";
        }
    }
}
