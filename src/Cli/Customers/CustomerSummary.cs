using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Customers;

/// <summary><c>sagas customers list --summary</c>.</summary>
internal static class CustomerSummary
{
    public static Task<int> RunAsync(
        ParseResult parse,
        Terminal terminal,
        SagasDatabase database,
        CancellationToken cancellationToken
    )
    {
        Column<CustomerSummaryRow>[] columns =
        [
            new("Customers", row => row.State, Colour: row => Format.Colour(row.State), Break: false),
            new("Number", row => row.Customers.ToString("N0", CultureInfo.InvariantCulture), Right: true),
            new("Oldest", row => Format.FromNow(row.Oldest, terminal.TimeProvider.GetUtcNow()), Break: false),
            new("Why", row => row.Reason),
        ];
        return new Listing<CustomerSummaryRow>(terminal, columns, "No customers.").RunAsync(
            parse,
            (limit, token) => CustomerSummaryRow.StatesAsync(database, limit, token),
            cancellationToken
        );
    }
}
