using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Sagas.Cli.CommandLine;

/// <summary>Help as System.CommandLine writes it, then the command's examples and the exit codes.</summary>
/// <param name="layout">Writes usage, arguments and options.</param>
internal sealed class HelpWithExamples(HelpAction layout) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        layout.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is SagasCommand { Examples.Count: > 0 } command)
        {
            output.WriteLine("Examples:");
            foreach (var example in command.Examples)
                output.WriteLine("  " + example);
            output.WriteLine();
        }

        output.WriteLine("Exit codes:");
        output.WriteLine("  " + ExitCode.Help);
        return ExitCode.Ok;
    }
}
