using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;

namespace Sagas.Benchmarks;

/// <summary><c>sagas bench status</c>.</summary>
internal static class StatusBenchCommand
{
    public static Command Create(Terminal terminal) =>
        BenchCommands.Create(
            terminal,
            "status",
            "Time to fetch the status of many objects from a slow API, compared with the ideal, "
                + "and how quickly callbacks are answered at the same time.",
            (_, quick, cancellationToken) =>
                quick
                    ? StatusBenchmark.MeasureAsync(4_000, [1_000], terminal.Error.WriteLine, cancellationToken)
                    : StatusBenchmark.MeasureAsync(20_000, [1_000, 4_000], terminal.Error.WriteLine, cancellationToken),
            report => [.. report.Runs.SelectMany(Rows)]
        );

    private static IEnumerable<(string What, double? Figure, string Unit)> Rows(StatusRun run)
    {
        var calls = string.Create(CultureInfo.InvariantCulture, $"{run.InFlight:N0} calls at once");
        yield return ($"{calls}: time over ideal", run.TimesIdeal, "");
        yield return ($"{calls}: the same without any time lost between calls", run.LeastTimesIdeal, "");
        yield return ($"{calls}: from first post to last row", run.Seconds, "s");
        yield return ($"{calls}: callback of 200 ids, median", run.CallbackP50Ms, "ms");
        yield return ($"{calls}: 99 of 100 callbacks within", run.CallbackP99Ms, "ms");
        yield return ($"{calls}: peak memory of the process", run.PeakMegabytes, "MB");
    }
}
