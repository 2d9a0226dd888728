using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.List;

namespace Sagas.Cli.Show;

/// <summary><c>sagas show customer</c>.</summary>
internal static class ShowCustomer
{
    public static Command Create(Terminal terminal)
    {
        var id = CommandOptions.IdArgument("id", "The customer's id.");
        var command = new SagasCommand(
            "customer",
            "Show a customer: their data, what they went through, their payments.",
            "sagas show customer 4711",
            "sagas show customer 4711 --json | jq .customer.version")
        {
            id, CommandOptions.Postgres(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var customerId = parse.GetRequiredValue(id);
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var customer = await CustomerDetails.FindAsync(database, customerId, terminal.Time.GetUtcNow(), stop)
                ?? throw await UnknownAsync(database, customerId, stop);
            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(customer);
            else
                Write(terminal, customer);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<CommandException> UnknownAsync(SagasDatabase database, string customerId, CancellationToken stop)
    {
        var waiting = await PaymentRow.OfCustomerAsync(database, customerId, 1, stop);
        var hint = waiting is [var payment, ..]
            ? $"Payment {payment.PaymentId} names this customer and is {payment.State}. Register: `sagas c {customerId}`."
            : "`sagas list customers` shows who there is.";
        return new CommandException(ExitCode.NotFound, $"No customer {customerId} is registered. {hint}");
    }

    private static void Write(Terminal terminal, CustomerDetails details)
    {
        var customer = details.Customer;
        var now = terminal.Time.GetUtcNow();
        var page = new Page(terminal);
        page.Heading($"Customer {customer.CustomerId}", customer.State);
        page.Field("Name", customer.Name)
            .Field("E-mail", customer.Email)
            .Field("Phone", customer.Phone)
            .Field("Version", customer.Version.ToString(CultureInfo.InvariantCulture))
            .Field("At the CRM", customer.SyncedVersion is { } synced ? $"version {synced.ToString(CultureInfo.InvariantCulture)}" : null)
            .Field("Not told", customer.SyncFailure)
            .Field("Data as of", $"{Display.Moment(customer.RegisteredAt)} ({Display.FromNow(customer.RegisteredAt, now)})")
            .Field("Last change", $"{Display.Moment(customer.UpdatedAt)} ({Display.FromNow(customer.UpdatedAt, now)})")
            .Field("Payments", string.Create(
                CultureInfo.InvariantCulture,
                $"{customer.Payments:N0}: {customer.Completed:N0} completed, {customer.Open:N0} under way"))
            .Field("Correlation id", details.CorrelationId.ToString("D"))
            .WriteFields();
        page.Timeline(details.Timeline);
        if (details.Calls.Count > 0)
            page.Section("Calls to the CRM", ListCalls.Table(terminal, "").Draw(details.Calls));
        if (details.Payments.Count > 0)
            page.Section(Heading(customer, details.Payments.Count), ListPayments.Table(terminal, "").Draw(details.Payments));
        page.Messages(details.Messages);
    }

    private static string Heading(CustomerRow customer, int shown) =>
        customer.Payments > shown ? $"The newest {shown} payments" : "Payments";
}
