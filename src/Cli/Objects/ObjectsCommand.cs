using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.List;

namespace Sagas.Cli.Objects;

/// <summary><c>sagas objects</c>.</summary>
internal static class ObjectsCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new SagasCommand(
            "objects",
            "List the objects that were online not long ago, those seen last first.",
            "sagas objects --watch",
            "sagas objects --limit 100000 --json | jq 'map(select(.ageMs > 20000)) | length'")
        {
            CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            return await Table(terminal).RunAsync(parse, (limit, cancel) => ObjectRow.NewestAsync(database, limit, cancel), stop);
        });
        return command;
    }

    private static Listing<ObjectRow> Table(Terminal terminal)
    {
        Column<ObjectRow>[] columns =
        [
            new("Object", row => row.ObjectId),
            new("Last seen", row => Display.ExactMoment(row.LastSeen), Break: false),
            new("Age", row => Display.Duration(TimeSpan.FromMilliseconds(row.AgeMs)), Right: true),
        ];
        return new Listing<ObjectRow>(terminal, columns, "No object was seen lately.");
    }
}
