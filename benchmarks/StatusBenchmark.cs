using System.Diagnostics;
using System.Globalization;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>One run of <c>sagas bench status</c>.</summary>
/// <param name="InFlight">Calls at once that were allowed.</param>
/// <param name="Objects">Distinct objects.</param>
/// <param name="Seconds">From the first post to the last row.</param>
/// <param name="IdealSeconds">Sum of the latencies of all calls over <paramref name="InFlight"/>.</param>
/// <param name="TimesIdeal"><paramref name="Seconds"/> over <paramref name="IdealSeconds"/>.</param>
/// <param name="LeastTimesIdeal">The same when no time is lost between two calls (simulated): at the end
/// fewer calls are left than could be made, and the last does not end with the others.</param>
/// <param name="Calls">Calls that the API received.</param>
/// <param name="MostInFlight">The highest number of concurrent calls that the API saw.</param>
/// <param name="CallbackP50Ms">Answer to a post of 200 ids during the run, milliseconds; the median.</param>
/// <param name="CallbackP99Ms">99 of 100 took no longer.</param>
/// <param name="CallbackMaxMs">The slowest.</param>
/// <param name="Callbacks">How many posts were accepted.</param>
/// <param name="Rejected">How many were rejected, and posted again a second later.</param>
/// <param name="PeakMegabytes">The most memory that the process that fetches held.</param>
internal sealed record StatusRun(
    int InFlight,
    int Objects,
    double Seconds,
    double IdealSeconds,
    double TimesIdeal,
    double LeastTimesIdeal,
    long Calls,
    long MostInFlight,
    double CallbackP50Ms,
    double CallbackP99Ms,
    double CallbackMaxMs,
    int Callbacks,
    int Rejected,
    double PeakMegabytes
);

/// <summary>
/// The result of <c>sagas bench status</c>: the figures of the run with fewer calls at once, and all of both runs.
/// </summary>
/// <param name="TimesIdeal">Time from the first post to the last row over the sum of latencies by the calls at once.</param>
/// <param name="CallbackP50Ms">Answer to a post of 200 ids during the run, milliseconds; the median.</param>
/// <param name="CallbackP99Ms">99 of 100 took no longer.</param>
/// <param name="PeakMegabytes">The most memory that the process that fetches held.</param>
/// <param name="Runs">Each run.</param>
internal sealed record StatusReport(
    double TimesIdeal,
    double CallbackP50Ms,
    double CallbackP99Ms,
    double PeakMegabytes,
    IReadOnlyList<StatusRun> Runs
);

/// <summary>
/// Many objects posted to the callback, 200 at a time, while an API that takes 300 to 4,300 ms answers for each.
/// </summary>
internal static class StatusBenchmark
{
    private const int IdsPerPost = 200;
    private const int MinLatencyMs = 300;
    private const int MaxLatencyMs = 4300;
    private const int SimulatedRuns = 20;

    // Fifty posts: after thirty, the JIT begins to compile optimized code.
    private const int WarmObjects = 10_000;

    // Posts run ahead of the calls by this factor: there is always work, and posting lasts as long as possible.
    private const double PostsAhead = 1.1;

    /// <summary>Measures with each number of calls at once.</summary>
    /// <param name="objects">Distinct objects.</param>
    /// <param name="inFlight">Calls at once, one run each.</param>
    /// <param name="log">Receives a line for each step.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<StatusReport> MeasureAsync(
        int objects,
        IReadOnlyList<int> inFlight,
        Action<string> log,
        CancellationToken cancellationToken
    )
    {
        await using var postgres = await PrivatePostgres.StartAsync(cancellationToken: cancellationToken);
        await using var rabbitMq = await PrivateRabbitMq.StartAsync(cancellationToken);
        var runs = new List<StatusRun>();
        foreach (var calls in inFlight)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"status_{calls}");
            await using var system = await StatusBenchmarkSystem.StartAsync(
                await postgres.CreateDatabaseAsync(name, cancellationToken),
                await rabbitMq.CreateVirtualHostAsync(name, cancellationToken),
                calls,
                cancellationToken
            );
            log(string.Create(CultureInfo.InvariantCulture, $"{objects:N0} objects with {calls:N0} calls at once …"));
            runs.Add(await RunAsync(system, objects, calls, cancellationToken));
        }

        var first = runs[0];
        return new(first.TimesIdeal, first.CallbackP50Ms, first.CallbackP99Ms, first.PeakMegabytes, runs);
    }

    private static async Task<StatusRun> RunAsync(
        StatusBenchmarkSystem system,
        int objects,
        int inFlight,
        CancellationToken cancellationToken
    )
    {
        // The first thousands warm up the JIT and the connections; only the others are measured.
        await system.SetLatencyAsync(10, 50, cancellationToken);
        var warm = Math.Max(2 * inFlight, WarmObjects);
        foreach (var ids in Ids("warm", warm))
            await AcceptAsync(system, ids, cancellationToken);
        await system.UntilSeenAsync(warm, cancellationToken);
        await system.SetLatencyAsync(MinLatencyMs, MaxLatencyMs, cancellationToken);
        await system.ClearAsync(cancellationToken);

        var started = Stopwatch.GetTimestamp();
        var (took, rejected) = await PostAllAsync(system, objects, inFlight, cancellationToken);
        await system.UntilSeenAsync(objects, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        var api = await system.SummaryAsync(cancellationToken);
        var ideal = api.GetProperty("latencySeconds").GetDouble() / inFlight;
        took.Sort();
        return new(
            inFlight,
            objects,
            seconds,
            ideal,
            seconds / ideal,
            LeastTimesIdeal(objects, inFlight),
            api.GetProperty("requests").GetInt64(),
            api.GetProperty("mostInFlight").GetInt64(),
            Percentile.Of(took, 0.5),
            Percentile.Of(took, 0.99),
            took[^1],
            took.Count,
            rejected,
            await system.PeakMegabytesAsync(cancellationToken)
        );
    }

    private static double LeastTimesIdeal(int objects, int inFlight)
    {
        var random = new Random(1);
        return Enumerable
            .Range(0, SimulatedRuns)
            .Average(_ =>
            {
                var ends = new PriorityQueue<double, double>(Enumerable.Repeat((0.0, 0.0), inFlight));
                var (sum, last) = (0.0, 0.0);
                for (var call = 0; call < objects; call++)
                {
                    var latency = MinLatencyMs + (random.NextDouble() * (MaxLatencyMs - MinLatencyMs));
                    var end = ends.Dequeue() + latency;
                    ends.Enqueue(end, end);
                    sum += latency;
                    last = Math.Max(last, end);
                }

                return last / (sum / inFlight);
            });
    }

    private static async Task<(List<double> Took, int Rejected)> PostAllAsync(
        StatusBenchmarkSystem system,
        int objects,
        int inFlight,
        CancellationToken cancellationToken
    )
    {
        var took = new List<double>();
        var perSecond = PostsAhead * inFlight / ((MinLatencyMs + MaxLatencyMs) / 2000.0);
        var started = Stopwatch.GetTimestamp();
        var (posted, rejected) = (0, 0);
        foreach (var ids in Ids("object", objects))
        {
            // At first enough to keep all calls busy, then at the pace of the calls.
            var due = TimeSpan.FromSeconds(Math.Max(0, posted - (1.5 * inFlight)) / perSecond);
            var early = due - Stopwatch.GetElapsedTime(started);
            if (early > TimeSpan.Zero)
                await Task.Delay(early, cancellationToken);
            var (accepted, again) = await AcceptAsync(system, ids, cancellationToken);
            took.Add(accepted);
            rejected += again;
            posted += ids.Length;
        }

        return (took, rejected);
    }

    private static async Task<(double Took, int Rejected)> AcceptAsync(
        StatusBenchmarkSystem system,
        string[] ids,
        CancellationToken cancellationToken
    )
    {
        for (var rejected = 0; ; rejected++)
        {
            if (await system.PostAsync(ids, cancellationToken) is { } took)
                return (took, rejected);
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }
    }

    private static IEnumerable<string[]> Ids(string name, int count) =>
        Enumerable
            .Range(1, count)
            .Select(number => string.Create(CultureInfo.InvariantCulture, $"{name}-{number}"))
            .Chunk(IdsPerPost);
}
