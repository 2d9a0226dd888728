using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Benchmarks;

/// <summary><c>sagas bench alerts</c>.</summary>
internal static class AlertsBenchCommand
{
    public static Command Create(Terminal terminal) =>
        BenchCommands.Create(
            terminal,
            "alerts",
            "How near two senders together come to a receiver's limit without exceeding it, and how fast they are without one.",
            (_, quick, cancellationToken) =>
                quick
                    ? AlertsBenchmark.MeasureAsync(5_000, 5_000, 20_000, terminal.Error.WriteLine, cancellationToken)
                    : AlertsBenchmark.MeasureAsync(50_000, 50_000, 50_000, terminal.Error.WriteLine, cancellationToken),
            report =>
                [
                    ("Rate over the receiver's limit of 500/s, two senders", report.LimitRatio, ""),
                    ("Share of answers 429", report.TooManyRequestsRatio, ""),
                    ("Rate over the limit where it is learned", report.LearnedRatio, ""),
                    ("Share of answers 429 where it is learned", report.LearnedTooManyRequestsRatio, ""),
                    ("Deliveries without a limit", report.PerSecond, "/s"),
                    ("Peak memory of a sender", report.PeakMegabytes, "MB"),
                ]
        );
}
