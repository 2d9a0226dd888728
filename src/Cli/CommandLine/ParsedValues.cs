using System.CommandLine;
using System.CommandLine.Parsing;

namespace Sagas.Cli.CommandLine;

/// <summary>Reads options in the validators of a command, which run before the options themselves are validated.</summary>
internal static class ParsedValues
{
    /// <summary>The option's value; the default when the option is absent or not valid.</summary>
    public static T? ValueOrDefault<T>(this CommandResult result, Option<T> option) =>
        ValueOrDefault(() => result.GetValue(option));

    /// <summary>The value of the option of this name; the default when the option is absent or not valid.</summary>
    public static T? ValueOrDefault<T>(this CommandResult result, string name) => ValueOrDefault(() => result.GetValue<T>(name));

    private static T? ValueOrDefault<T>(Func<T?> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            // The option reports what is wrong with it.
            return default;
        }
    }
}
