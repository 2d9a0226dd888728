using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Completion;
using Sagas.Cli.Demo;
using Sagas.Cli.Generate;
using Sagas.Cli.Migrate;

namespace Sagas.Cli;

/// <summary>Commands that belong to no feature.</summary>
internal sealed class SetupCommands : FeatureCommands
{
    public override string Title => "Demo, test data, schema";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            DemoCommand.Create(terminal),
            GenerateCommand.Create(terminal),
            MigrateCommand.Create(terminal),
            Bench(),
            CompletionCommand.Create(terminal),
        ];

    // The benchmarks are a program of their own, which the script `./sagas` starts.
    private static SagasCommand Bench()
    {
        var command = new SagasCommand(
            "bench",
            "Run a benchmark; from the sources only, with `./sagas bench`.",
            "sagas bench --help",
            "sagas bench ingest --quick"
        )
        {
            new Argument<string[]>("benchmark") { Description = "The benchmark.", Arity = ArgumentArity.ZeroOrMore },
            new Option<bool>("--quick") { Description = "A first look in under a minute; its figures are rough." },
        };
        command.SetAction(
            int (ParseResult _) =>
                throw new CommandException(
                    ExitCode.Failed,
                    "The benchmarks are not part of this installation. Run `./sagas bench` in a clone of the repository."
                )
        );
        return command;
    }
}
