using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary><c>sagas bench pressure</c>.</summary>
internal static class PressureBenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var seconds = CommandOptions.NumberOption("--seconds", "How long each case lasts.", 600, 86_400);
        var command = BenchCommands.Create(
            terminal,
            "pressure",
            "Sagas per second while a snapshot is held open, readers scan, the load bursts, or a million messages wait.",
            async (parse, quick, cancellationToken) =>
            {
                await using var postgres = await PrivatePostgres.StartAsync(cancellationToken: cancellationToken);
                await using var rabbitMq = await PrivateRabbitMq.StartAsync(cancellationToken);
                var benchmark = new PressureBenchmark(postgres, rabbitMq, terminal.Error.WriteLine);
                var duration = TimeSpan.FromSeconds(quick ? 9 : parse.GetValue(seconds));
                return await benchmark.MeasureAsync(duration, quick ? 100_000 : 1_000_000, cancellationToken);
            },
            report =>
                [
                    .. report.Cases.SelectMany(each =>
                        new (string, double?, string)[]
                        {
                            ($"Sagas, {each.Name}", each.PerSecond, "/s"),
                            ("99 of 100 within", each.P99Ms, "ms"),
                            ("Dead rows at the end", each.Samples[^1].DeadRows, ""),
                        }
                    ),
                    ("Lowest rate over that of the clean case", report.WorstRatio, ""),
                ],
            "sagas bench pressure --seconds 60"
        );
        command.Add(seconds);
        return command;
    }
}
