using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Objects;

/// <summary><c>sagas objects list</c>.</summary>
internal static class ListObjects
{
    public static Command Create(Terminal terminal)
    {
        return new SagasCommand(
            "list",
            "List the objects that were online recently, the last seen first.",
            "sagas objects list --watch",
            "sagas objects list --limit 100000 --json | jq 'map(select(.ageMs > 20000)) | length'"
        ).Lists(
            terminal,
            _ => Table(terminal),
            (database, _, limit, cancellationToken) => ObjectRow.NewestAsync(database, limit, cancellationToken)
        );
    }

    private static Listing<ObjectRow> Table(Terminal terminal)
    {
        Column<ObjectRow>[] columns =
        [
            new("Object", row => row.ObjectId),
            new("Last seen", row => Format.ExactMoment(row.LastSeen), Break: false),
            new("Age", row => Format.Duration(TimeSpan.FromMilliseconds(row.AgeMs)), Right: true),
        ];
        return new Listing<ObjectRow>(terminal, columns, "No objects were online recently.");
    }
}
