using System.CommandLine;
using System.CommandLine.Parsing;

namespace Sagas.Cli.CommandLine;

/// <summary>Options and arguments of which a command accepts exactly one.</summary>
internal static class ExclusiveOptions
{
    /// <summary>Makes a command accept exactly one of an argument and a flag.</summary>
    /// <param name="command">The command.</param>
    /// <param name="name">The argument.</param>
    /// <param name="all">The flag.</param>
    public static void RequireOneOf(Command command, Argument<string?> name, Option<bool> all) =>
        command.Validators.Add(result =>
        {
            if (result.GetResult(name) is { Tokens.Count: > 0 } == result.ValueOrDefault(all))
                result.AddError($"Specify exactly one of <{name.Name}> or {all.Name}.");
        });

    /// <summary>Makes a command accept exactly one of some options.</summary>
    /// <param name="command">The command.</param>
    /// <param name="options">The options, three or more.</param>
    public static void RequireOneOf(Command command, params Option[] options) =>
        command.Validators.Add(result =>
        {
            if (options.Count(option => IsGiven(result, option)) == 1)
                return;
            var names = string.Join(", ", options[..^1].Select(option => option.Name));
            result.AddError($"Specify exactly one of {names} or {options[^1].Name}.");
        });

    private static bool IsGiven(CommandResult result, Option option) =>
        result.GetResult(option) is { Implicit: false } && (option is not Option<bool> flag || result.ValueOrDefault(flag));
}
