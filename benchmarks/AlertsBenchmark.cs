using System.Globalization;
using System.Text.Json;
using Sagas.Cli.CommandLine;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench alerts</c>.</summary>
/// <param name="LimitRatio">Deliveries per second over the receiver's limit, as the receiver saw them.</param>
/// <param name="TooManyRequestsRatio">Share of the requests that the receiver answered 429.</param>
/// <param name="LearnedRatio">Deliveries per second over the receiver's limit where the senders do not know the limit.</param>
/// <param name="LearnedTooManyRequestsRatio">Share of the requests that the receiver answered 429 there.</param>
/// <param name="PerSecond">Deliveries per second to a receiver without a limit, as the receiver saw them.</param>
/// <param name="PeakMegabytes">The peak memory that one of the senders held, megabytes of 2^20 bytes.</param>
internal sealed record AlertsReport(
    double LimitRatio,
    double TooManyRequestsRatio,
    double LearnedRatio,
    double LearnedTooManyRequestsRatio,
    double PerSecond,
    double PeakMegabytes
);

/// <summary>A file of alerts, put into the folder that two senders watch, and what the receiver sees of it.</summary>
internal static class AlertsBenchmark
{
    private const int Limit = 500;

    /// <summary>Measures.</summary>
    /// <param name="limited">Rows for the receiver with a limit that the senders know.</param>
    /// <param name="learned">Rows for the receiver with a limit that they must learn.</param>
    /// <param name="unlimited">Rows for the receiver without one.</param>
    /// <param name="log">Receives a line for each step.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<AlertsReport> MeasureAsync(
        int limited,
        int learned,
        int unlimited,
        Action<string> log,
        CancellationToken cancellationToken
    )
    {
        await using var postgres = await PrivatePostgres.StartAsync(cancellationToken: cancellationToken);
        await using var rabbitMq = await PrivateRabbitMq.StartAsync(cancellationToken);
        var atLimit = await RunAsync("limited", limited, Limit);
        var learning = await RunAsync("learned", learned, Limit, knowsLimit: false);
        var free = await RunAsync("unlimited", unlimited, 0);
        return new(
            atLimit.PerSecond / Limit,
            atLimit.TooManyRequestsRatio,
            learning.PerSecond / Limit,
            learning.TooManyRequestsRatio,
            free.PerSecond,
            Math.Max(atLimit.PeakMegabytes, free.PeakMegabytes)
        );

        async Task<AlertsRun> RunAsync(string name, int rows, int limit, bool knowsLimit = true)
        {
            await using var system = await AlertsBenchmarkSystem.StartAsync(
                await postgres.CreateDatabaseAsync(name, cancellationToken),
                await rabbitMq.CreateVirtualHostAsync(name, cancellationToken),
                limit,
                knowsLimit,
                cancellationToken
            );
            var run = await system.DeliverAsync(rows, cancellationToken);
            var limited = limit == 0 ? "no limit" : $"limit {limit}/s{(knowsLimit ? "" : ", learned")}";
            log(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{rows:N0} rows, {limited}: {run.PerSecond:N1}/s, "
                        + $"{run.TooManyRequests:N0} of {run.Requests:N0} answers 429, "
                        + $"{run.Repeated:N0} repeated, peak memory {run.PeakMegabytes:N0} MB"
                )
            );
            return run;
        }
    }
}

/// <summary>The result of one run.</summary>
internal sealed record AlertsRun(double PerSecond, long Requests, long TooManyRequests, long Repeated, double PeakMegabytes)
{
    public double TooManyRequestsRatio => (double)TooManyRequests / Requests;

    public static AlertsRun Of(JsonElement summary, double peakMegabytes)
    {
        var seconds = (
            summary.GetProperty("lastAt").GetDateTimeOffset() - summary.GetProperty("firstAt").GetDateTimeOffset()
        ).TotalSeconds;
        return new((Number("alerted") - 1) / seconds, Number("requests"), Number("limited"), Number("repeated"), peakMegabytes);

        long Number(string name) => summary.GetProperty(name).GetInt64();
    }

    /// <summary>Fails a run with a wrong result.</summary>
    /// <exception cref="CommandException">Not every user was alerted once.</exception>
    public static void Check(JsonElement summary, int rows)
    {
        if (summary.GetProperty("alerted").GetInt64() != rows)
            throw new CommandException(
                ExitCode.Failed,
                $"The receiver alerted {summary.GetProperty("alerted").GetInt64():N0} times for {rows:N0} rows."
            );
    }
}
