using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Tables;
using Sagas.Services.Operations.Reads;

namespace Sagas.Cli.Operations;

/// <summary><c>sagas targets list</c>.</summary>
internal static class ListTargets
{
    public static Command Create(Terminal terminal) =>
        new SagasCommand(
            "list",
            "List the third parties that are called, with the calls that are due.",
            "sagas targets list --watch",
            "sagas targets list --json | jq '.[] | select(.state != \"calling\")'"
        ).Lists(
            terminal,
            _ => Table(terminal),
            async (database, _, limit, cancellationToken) =>
            {
                var overview = new OverviewReader(database.Source, new NoQueueDepths(), terminal.TimeProvider);
                return [.. (await overview.ReadAsync(cancellationToken)).Targets.Take(limit)];
            }
        );

    private static Listing<TargetOverview> Table(Terminal terminal)
    {
        Column<TargetOverview>[] columns =
        [
            new("Target", target => target.Target, Break: false),
            new("State", target => target.State, Break: false),
            new("Why", target => target.Reason),
            new("Calls due", target => target.Due >= WaitingCount.Limit ? "10,000+" : target.Due.ToString(), Right: true),
            new("Oldest due", target => Format.FromNow(target.OldestDue, terminal.TimeProvider.GetUtcNow()), Break: false),
        ];
        return new Listing<TargetOverview>(terminal, columns, "No third party was called yet.");
    }
}
