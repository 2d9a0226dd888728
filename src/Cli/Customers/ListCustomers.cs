using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Customers;

/// <summary><c>sagas customers list</c>.</summary>
internal static class ListCustomers
{
    private static readonly string[] _states = ["Registered", "Syncing", "Synced", "SyncFailed"];

    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only customers in this state", _states);
        var summary = new Option<bool>("--summary") { Description = "Count customers by state and reason instead." };
        var command = new SagasCommand(
            "list",
            "List customers, the last changed first, or count them by state.",
            "sagas customers list",
            "sagas customers list --summary --watch     # how many the CRM has, and why it does not have the others",
            "sagas customers list --state SyncFailed    # and the reason of each",
            "sagas customers list --limit 1000 --json"
        )
        {
            state,
            summary,
            CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.ValueOrDefault(summary) && result.ValueOrDefault(state) is not null)
                result.AddError("--summary counts all states; specify --summary or --state, not both.");
        });
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                if (parse.GetValue(summary))
                    return await CustomerSummary.RunAsync(parse, terminal, database, cancellationToken);
                var wanted = parse.GetValue(state);
                return await Table(terminal, wanted is null ? "No customers." : $"No customers are {wanted}.")
                    .RunAsync(
                        parse,
                        (limit, token) => CustomerRow.NewestAsync(database, wanted, limit, token),
                        cancellationToken
                    );
            }
        );
        return command;
    }

    private static Listing<CustomerRow> Table(Terminal terminal, string none)
    {
        Column<CustomerRow>[] columns =
        [
            new("Customer", customer => customer.CustomerId),
            new("State", customer => customer.State, Colour: customer => Format.Colour(customer.State), Break: false),
            new("Name", customer => customer.Name),
            new("E-mail", customer => customer.Email, FromWidth: 100),
            new("Phone", customer => customer.Phone, FromWidth: 140, Break: false),
            new("CRM", customer => customer.SyncFailure ?? (customer.State == "Syncing" ? customer.CrmOutcome : null)),
            new("Version", customer => Number(customer.Version), FromWidth: 100, Right: true),
            new("Changed", customer => Format.FromNow(customer.UpdatedAt, terminal.TimeProvider.GetUtcNow()), Break: false),
            new("Payments", customer => Number(customer.Payments), Right: true),
            new("Open", customer => Number(customer.Open), Right: true),
        ];
        return new Listing<CustomerRow>(terminal, columns, none);
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
