using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.List;

namespace Sagas.Cli.Crm;

/// <summary><c>sagas crm status</c>.</summary>
internal static class CrmStatus
{
    public static Command Create(Terminal terminal)
    {
        var command = new SagasCommand(
            "status",
            "How many customers the CRM has been told of, how many wait, and why others could not be told.",
            "sagas crm status",
            "sagas crm status --watch",
            "sagas crm status --json")
        {
            CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            Column<CrmRow>[] columns =
            [
                new("Customers", row => row.State, Colour: row => Display.Colour(row.State), Break: false),
                new("Number", row => row.Customers.ToString("N0", CultureInfo.InvariantCulture), Right: true),
                new("Oldest", row => Display.FromNow(row.Oldest, terminal.Time.GetUtcNow()), Break: false),
                new("Why", row => row.Reason),
            ];
            return await new Listing<CrmRow>(terminal, columns, "No customers.").RunAsync(
                parse, (limit, cancel) => CrmRow.StatesAsync(database, limit, cancel), stop);
        });
        return command;
    }
}
