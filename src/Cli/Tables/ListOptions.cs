using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Tables;

/// <summary>Options that every list has.</summary>
internal static class ListOptions
{
    /// <summary>Name of <see cref="Limit"/>.</summary>
    public const string LimitName = "--limit";

    /// <summary>Name of <see cref="Watch"/>.</summary>
    public const string WatchName = "--watch";

    /// <summary>How many rows.</summary>
    public static Option<int> Limit() => CommandOptions.NumberOption(LimitName, "The maximum number of rows.", 50, 100_000);

    /// <summary>Refresh.</summary>
    public static Option<bool> Watch() => new(WatchName, "-w") { Description = "Refresh every second, until Ctrl-C." };

    /// <summary>Adds both to a command.</summary>
    public static void AddTo(Command command)
    {
        command.Add(Limit());
        command.Add(Watch());
        command.Validators.Add(result =>
        {
            if (result.ValueOrDefault<bool>(WatchName) && result.ValueOrDefault<bool>(CommandOptions.JsonName))
                result.AddError("--watch and --json exclude each other: --json writes one value.");
        });
    }
}
