using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.List;

/// <summary>Options that every list has.</summary>
internal static class ListOptions
{
    /// <summary>Name of <see cref="Limit"/>.</summary>
    public const string LimitName = "--limit";

    /// <summary>Name of <see cref="Watch"/>.</summary>
    public const string WatchName = "--watch";

    /// <summary>How many rows.</summary>
    public static Option<int> Limit() => CommandOptions.NumberOption(LimitName, "Show at most so many.", 50, 100_000);

    /// <summary>Look again and again.</summary>
    public static Option<bool> Watch() => new(WatchName, "-w")
    {
        Description = "Look again every second, until Ctrl-C.",
    };

    /// <summary>Adds both to a command, and refuses what does not go together.</summary>
    public static void AddTo(Command command)
    {
        command.Add(Limit());
        command.Add(Watch());
        command.Validators.Add(result =>
        {
            if (result.GetValue<bool>(WatchName) && result.GetValue<bool>(CommandOptions.JsonName))
                result.AddError("--watch draws a table for people; it does not go with --json, which writes one value.");
        });
    }
}
