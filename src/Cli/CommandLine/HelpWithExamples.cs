using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Sagas.Cli.CommandLine;

/// <summary>
/// Help as System.CommandLine writes it, then examples and exit codes; for the program itself, all commands by feature.
/// </summary>
/// <param name="layout">Writes usage, arguments and options.</param>
/// <param name="features">Every feature's commands.</param>
/// <param name="terminal">What the commands are created for.</param>
internal sealed class HelpWithExamples(HelpAction layout, IReadOnlyList<FeatureCommands> features, Terminal terminal)
    : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command;
        if (command == parseResult.RootCommandResult.Command && features.Count > 0)
            WriteProgram(output, command);
        else
            layout.Invoke(parseResult);

        if (command is SagasCommand { Examples.Count: > 0 } withExamples)
        {
            output.WriteLine("Examples:");
            foreach (var example in withExamples.Examples)
                output.WriteLine("  " + example);
            output.WriteLine();
        }

        output.WriteLine("Exit codes:");
        output.WriteLine("  " + ExitCode.Help);
        return ExitCode.Ok;
    }

    private void WriteProgram(TextWriter output, Command program)
    {
        output.WriteLine(program.Description);
        output.WriteLine();
        output.WriteLine("Usage:");
        output.WriteLine("  sagas <noun> <verb> [options]");
        output.WriteLine();
        foreach (var feature in features)
        {
            output.WriteLine(feature.Title + ":");
            foreach (var (path, description) in feature.Create(terminal).SelectMany(command => Leaves(command, "")))
                output.WriteLine($"  {path, -20} {SagasCommand.Summary(description)}");
            output.WriteLine();
        }

        output.WriteLine("Options:");
        foreach (var option in program.Options)
            output.WriteLine($"  {option.Name, -20} {option.Description}");
        output.WriteLine();
        output.WriteLine("`sagas <noun> <verb> --help` shows a command's arguments, options and examples.");
        output.WriteLine();
    }

    private static IEnumerable<(string Path, string? Description)> Leaves(Command command, string above)
    {
        var path = $"{above} {command.Name}".TrimStart();
        return command.Subcommands.Count == 0
            ? [(path, command.Description)]
            : command.Subcommands.SelectMany(verb => Leaves(verb, path));
    }
}
