using System.CommandLine;

namespace Sagas.Cli.Retry;

/// <summary>One thing, or all of them.</summary>
internal static class RetryTarget
{
    /// <summary>Makes a command accept exactly one of a name and <c>--all</c>.</summary>
    /// <param name="command">The command.</param>
    /// <param name="name">The name.</param>
    /// <param name="all"><c>--all</c>.</param>
    public static void Require(Command command, Argument<string?> name, Option<bool> all) =>
        command.Validators.Add(result =>
        {
            var named = result.GetResult(name) is { Tokens.Count: > 0 };
            if (named == result.GetValue(all))
                result.AddError($"Name one <{name.Name}>, or say --all{(named ? ", not both" : "")}.");
        });
}
