using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.List;

/// <summary><c>sagas list customers</c>.</summary>
internal static class ListCustomers
{
    private static readonly string[] _states = ["Registered", "Syncing", "Synced", "SyncFailed"];

    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only customers in this state", _states);
        var command = new SagasCommand(
            "customers",
            "List customers, the last changed first.",
            "sagas list customers",
            "sagas list customers --state SyncFailed  # and why",
            "sagas list customers --limit 1000 --json")
        {
            state, CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var wanted = parse.GetValue(state);
            return await Table(terminal, wanted is null ? "No customers." : $"No customers are {wanted}.").RunAsync(
                parse,
                (limit, cancel) => CustomerRow.NewestAsync(database, wanted, limit, cancel),
                stop);
        });
        return command;
    }

    private static Listing<CustomerRow> Table(Terminal terminal, string none)
    {
        Column<CustomerRow>[] columns =
        [
            new("Customer", customer => customer.CustomerId),
            new("State", customer => customer.State, Colour: customer => Display.Colour(customer.State), Break: false),
            new("Name", customer => customer.Name),
            new("E-mail", customer => customer.Email, FromWidth: 100),
            new("Phone", customer => customer.Phone, FromWidth: 140, Break: false),
            new("CRM", customer => customer.SyncFailure ?? (customer.State == "Syncing" ? customer.CrmOutcome : null)),
            new("Version", customer => Number(customer.Version), FromWidth: 100, Right: true),
            new("Changed", customer => Display.FromNow(customer.UpdatedAt, terminal.Time.GetUtcNow()), Break: false),
            new("Payments", customer => Number(customer.Payments), Right: true),
            new("Open", customer => Number(customer.Open), Right: true),
        ];
        return new Listing<CustomerRow>(terminal, columns, none);
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
