using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Benchmarks;

/// <summary><c>sagas bench</c>, a program of its own: it is not part of the image.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) =>
        CommandRun.RunAsync(Commands, ["bench", .. args], Terminal.OfProcess(), CancellationToken.None);

    /// <summary>The commands of all benchmarks.</summary>
    /// <param name="terminal">Where the benchmarks write to.</param>
    public static Command Commands(Terminal terminal) =>
        new SagasCommand("sagas", "Benchmarks.")
        {
            new SagasCommand(
                "bench",
                "Measure, on servers started for it.",
                "sagas bench outbox --quick",
                "sagas bench ingest --json"
            )
            {
                BenchCommands.Outbox(terminal),
                BenchCommands.Payments(terminal),
                FlowBenchCommand.Create(terminal),
                BenchCommands.Ingest(terminal),
                BenchCommands.Alarms(terminal),
                StatusBenchCommand.Create(terminal),
                AlertsBenchCommand.Create(terminal),
                PressureBenchCommand.Create(terminal),
                BenchCommands.Crm(terminal),
            },
            CommandOptions.Json(),
            CommandOptions.Help(terminal, []),
            CommandOptions.Version(),
        };
}
