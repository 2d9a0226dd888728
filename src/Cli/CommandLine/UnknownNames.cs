using System.CommandLine;
using System.CommandLine.Parsing;
using Sagas.Configuration;

namespace Sagas.Cli.CommandLine;

/// <summary>Says which command or option was meant by a name that is not known.</summary>
internal static class UnknownNames
{
    private const string Dashes = "--";

    /// <summary>Describes a command that is not known.</summary>
    /// <param name="command">The command above it.</param>
    /// <param name="path">The path of the command above it.</param>
    /// <param name="words">What was typed after the path.</param>
    public static string OfCommand(Command command, string path, IReadOnlyList<string> words)
    {
        var meant = path;
        foreach (var word in words)
        {
            if (command.Subcommands.FirstOrDefault(one => one.Name == Nearest(word, command.Subcommands)) is not { } next)
                break;
            (command, meant) = (next, $"{meant} {next.Name}");
        }

        return $"Unknown command '{path} {words[0]}'." + (meant == path ? "" : $" Did you mean `{meant}`?");
    }

    /// <summary>Describes the options that are not known, among them those that were taken for an argument.</summary>
    public static IEnumerable<string> OfOptions(ParseResult parse)
    {
        // What follows `--` is an argument, whatever it looks like.
        var arguments = parse.Tokens.Any(token => token.Type == TokenType.DoubleDash)
            ? []
            : parse.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens);
        var known = Known(parse.CommandResult).ToList();
        var taken = arguments.Select(token => token.Value).Where(IsOption);
        return parse
            .UnmatchedTokens.Where(IsOption)
            .Concat(taken)
            .Select(word => word.Split('=')[0])
            .Distinct()
            .Select(word =>
                $"Unknown option '{word}'." + (Nearest(word, known) is { } meant ? $" Did you mean `{Dashes}{meant}`?" : "")
            );
    }

    private static bool IsOption(string word) =>
        word.Length > Dashes.Length && word.StartsWith(Dashes, StringComparison.Ordinal) && !word.Any(char.IsWhiteSpace);

    private static string? Nearest(string word, IEnumerable<Command> commands) =>
        NearestName.Of(word, commands.Select(command => command.Name));

    private static string? Nearest(string word, IEnumerable<string> options) =>
        NearestName.Of(word.Split('=')[0][Dashes.Length..], options);

    // Without the dashes, so that short names do not resemble each other by these.
    private static IEnumerable<string> Known(CommandResult command)
    {
        for (SymbolResult? result = command; result is CommandResult above; result = above.Parent)
        {
            foreach (var option in above.Command.Options.Where(option => above == command || option.Recursive))
                yield return option.Name.TrimStart('-');
        }
    }
}
