using System.CommandLine;
using System.CommandLine.Invocation;
using Sagas.Persistence;

namespace Sagas.Cli.CommandLine;

/// <summary>Runs a command line from its text to its exit code.</summary>
internal static class CommandRun
{
    // A command that is stopped ends immediately, except the demo, which has servers to stop.
    private static readonly TimeSpan _stopTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Parses and runs; a failure becomes a message and an exit code.</summary>
    public static async Task<int> RunAsync(
        Func<Terminal, Command> commands,
        IReadOnlyList<string> args,
        Terminal terminal,
        CancellationToken cancellationToken
    )
    {
        var program = commands(terminal);
        var parse = (args is [['[', ..], ..] ? WithDirectives(program) : program).Parse(args);
        if (
            parse.Action is ParseErrorAction
            || (parse.Action == parse.CommandResult.Command.Action && UnknownNames.OfOptions(parse).Any())
        )
            return Complain(parse, terminal);

        var invocation = new InvocationConfiguration
        {
            Output = terminal.Output,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = _stopTimeout,
        };
        try
        {
            return await parse.InvokeAsync(invocation, cancellationToken);
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
        catch (SchemaMigrationException exception)
        {
            terminal.Error.WriteLine(exception.Message);
            return ExitCode.Failed;
        }
        catch (IOException exception) when (exception.Message.Contains("Broken pipe", StringComparison.Ordinal))
        {
            return ExitCode.Ok; // The reader (head, less) has closed the pipe.
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            terminal.Error.WriteLine($"{exception.GetType().Name}: {exception.Message}");
            return ExitCode.Failed;
        }
    }

    // Completion asks by a directive, [suggest], which only a root command has. Its name is that of the program's file, which
    // help would show: so it is used for directives alone.
    private static RootCommand WithDirectives(Command program)
    {
        var root = new RootCommand();
        root.Aliases.Add(program.Name);
        root.Options.Clear();
        foreach (var option in program.Options)
            root.Add(option);
        foreach (var command in program.Subcommands)
            root.Add(command);
        return root;
    }

    private static int Complain(ParseResult parse, Terminal terminal)
    {
        var command = parse.CommandResult.Command;
        foreach (var error in Errors(parse, command))
            terminal.Error.WriteLine(Format.Clean(error));

        terminal.Error.WriteLine();
        if (command.Subcommands.Count > 0)
        {
            terminal.Error.WriteLine("Commands:");
            foreach (var subcommand in command.Subcommands)
                terminal.Error.WriteLine($"  {Path(subcommand, command), -28} {SagasCommand.Summary(subcommand.Description)}");
            terminal.Error.WriteLine();
        }

        terminal.Error.WriteLine($"See: {Path(command, null)} --help");
        return ExitCode.Usage;
    }

    private static IEnumerable<string> Errors(ParseResult parse, Command command)
    {
        if (command.Subcommands.Count > 0)
        {
            return parse.UnmatchedTokens.Count > 0
                ? [UnknownNames.OfCommand(command, Path(command, null), parse.UnmatchedTokens)]
                : [$"'{Path(command, null)}' is incomplete; add one of {Names(command)}."];
        }

        if (UnknownNames.OfOptions(parse).ToArray() is { Length: > 0 } unknown)
            return unknown;
        var missing = MissingArguments(parse).ToArray();
        return missing.Length > 0 ? missing : parse.Errors.Select(error => error.Message).Distinct();
    }

    private static string Names(Command command) => string.Join(", ", command.Subcommands.Select(verb => verb.Name));

    private static IEnumerable<string> MissingArguments(ParseResult parse) =>
        parse
            .CommandResult.Command.Arguments.Where(argument =>
                (parse.GetResult(argument)?.Tokens.Count ?? 0) < argument.Arity.MinimumNumberOfValues
            )
            .Select(argument => $"<{argument.HelpName ?? argument.Name}> is missing.");

    private static string Path(Command command, Command? parent)
    {
        var above = parent ?? command.Parents.OfType<Command>().FirstOrDefault();
        return above is null ? command.Name : $"{Path(above, null)} {command.Name}";
    }
}
