using System.CommandLine;
using System.CommandLine.Invocation;

namespace Sagas.Cli.CommandLine;

/// <summary>Runs a command line from its text to its exit code.</summary>
internal static class CommandRun
{
    // A command that is told to stop answers at once, except the demo, which has servers to stop.
    private static readonly TimeSpan _stopsWithin = TimeSpan.FromSeconds(30);

    /// <summary>Parses, runs, and turns whatever goes wrong into a sentence and an exit code.</summary>
    /// <param name="commands">The commands of a program that writes to a terminal.</param>
    /// <param name="args">What was typed after the program's name.</param>
    /// <param name="terminal">Where the answer goes.</param>
    /// <param name="stop">Ends it as Ctrl-C does.</param>
    public static async Task<int> RunAsync(
        Func<Terminal, Command> commands, IReadOnlyList<string> args, Terminal terminal, CancellationToken stop)
    {
        var parse = commands(terminal).Parse(args);
        if (parse.Action is ParseErrorAction)
            return Complain(parse, terminal);

        var invocation = new InvocationConfiguration
        {
            Output = terminal.Output,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = _stopsWithin,
        };
        try
        {
            return await parse.InvokeAsync(invocation, stop);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (CommandException exception)
        {
            terminal.Error.WriteLine(exception.Message);
            return exception.ExitCode;
        }
        catch (IOException exception) when (exception.Message.Contains("Broken pipe", StringComparison.Ordinal))
        {
            return ExitCode.Ok; // Whoever reads us (head, less) has seen enough.
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            terminal.Error.WriteLine($"{exception.GetType().Name}: {exception.Message}");
            return ExitCode.Failed;
        }
    }

    private static int Complain(ParseResult parse, Terminal terminal)
    {
        var command = parse.CommandResult.Command;
        var unknown = parse.UnmatchedTokens.Count > 0 && command.Subcommands.Count > 0;
        var missing = unknown ? [] : MissingArguments(parse).ToArray();
        var errors = missing.Length > 0 ? missing : parse.Errors.Select(error => error.Message).Distinct();
        foreach (var error in unknown ? [$"There is no command '{Path(command, null)} {parse.UnmatchedTokens[0]}'."] : errors)
            terminal.Error.WriteLine(Display.Clean(error));

        terminal.Error.WriteLine();
        if (command.Subcommands.Count > 0)
        {
            terminal.Error.WriteLine("Commands:");
            foreach (var subcommand in command.Subcommands)
                terminal.Error.WriteLine($"  {Path(subcommand, command),-28} {subcommand.Description}");
            terminal.Error.WriteLine();
        }

        terminal.Error.WriteLine($"See: {Path(command, null)} --help");
        return ExitCode.Usage;
    }

    private static IEnumerable<string> MissingArguments(ParseResult parse) => parse.CommandResult.Command.Arguments
        .Where(argument => (parse.GetResult(argument)?.Tokens.Count ?? 0) < argument.Arity.MinimumNumberOfValues)
        .Select(argument => $"<{argument.HelpName ?? argument.Name}> is missing.");

    private static string Path(Command command, Command? parent)
    {
        var above = parent ?? command.Parents.OfType<Command>().FirstOrDefault();
        return above is null ? command.Name : $"{Path(above, null)} {command.Name}";
    }
}
