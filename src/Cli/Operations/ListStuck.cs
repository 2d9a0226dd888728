using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Tables;
using Sagas.Services.Operations.Reads;

namespace Sagas.Cli.Operations;

/// <summary><c>sagas stuck</c>.</summary>
internal static class ListStuck
{
    public static Command Create(Terminal terminal) =>
        new SagasCommand(
            "stuck",
            "List what waits for longer than it should, grouped by reason, the oldest first. `sagas deadletters list` lists dead "
                + "letters.",
            "sagas stuck",
            "sagas stuck --json | jq '.[] | {reason, count, oldest}'"
        ).Lists(
            terminal,
            _ => Table(terminal),
            async (database, _, limit, cancellationToken) =>
            {
                var overview = new OverviewReader(database.Source, new NoQueueDepths(), terminal.TimeProvider);
                var report = await new StuckReader(database.Source, overview, terminal.TimeProvider).ReadAsync(cancellationToken);
                return [.. report.Groups.Take(limit)];
            }
        );

    private static Listing<StuckGroup> Table(Terminal terminal)
    {
        Column<StuckGroup>[] columns =
        [
            new("Reason", group => group.Reason),
            new("What", group => group.Kind, Break: false),
            new("Count", group => group.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), Right: true),
            new("Oldest", group => Format.FromNow(group.Oldest, terminal.TimeProvider.GetUtcNow()), Break: false),
            new("Such as", group => group.Things[0].Subject),
            new("Woken by", group => group.Things[0].Wakes),
        ];
        return new Listing<StuckGroup>(terminal, columns, "Nothing is stuck.");
    }
}
