using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Benchmarks;

/// <summary><c>sagas bench alerts</c>.</summary>
internal static class AlertsBenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var quick = BenchCommands.Quick();
        var command = new SagasCommand(
            "alerts",
            "How near two senders together come to a receiver's limit without exceeding it, and how fast they are without one.",
            "sagas bench alerts",
            "sagas bench alerts --quick --json"
        )
        {
            quick,
        };
        command.SetAction(
            async (parse, stop) =>
            {
                BenchCommands.RequireServers();
                var report = await (
                    parse.GetValue(quick)
                        ? AlertsBenchmark.MeasureAsync(5_000, 5_000, 20_000, terminal.Error.WriteLine, stop)
                        : AlertsBenchmark.MeasureAsync(50_000, 50_000, 50_000, terminal.Error.WriteLine, stop)
                );
                BenchCommands.Write(
                    parse,
                    terminal,
                    report,
                    ("Rate over the receiver's limit of 500/s, two senders", report.LimitRatio, ""),
                    ("Share of answers 429", report.TooManyRequestsRatio, ""),
                    ("Rate over the limit where it is learned", report.LearnedRatio, ""),
                    ("Share of answers 429 where it is learned", report.LearnedTooManyRequestsRatio, ""),
                    ("Deliveries without a limit", report.PerSecond, "/s"),
                    ("Most memory of a sender", report.PeakMegabytes, "MB")
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
