using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Calls;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Messages;
using Sagas.Cli.Payments;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Customers;

/// <summary><c>sagas customers show</c>.</summary>
internal static class ShowCustomer
{
    public static Command Create(Terminal terminal) =>
        new SagasCommand(
            "show",
            "Show a customer: their data, their history, the calls to the CRM and their payments.",
            "sagas customers show 4711",
            "sagas customers show 4711 --json | jq .customer.version"
        ).Shows(terminal, "The customer's id.", FindAsync, Write);

    private static async Task<CustomerDetails> FindAsync(
        SagasDatabase database,
        string customerId,
        CancellationToken cancellationToken
    ) =>
        await CustomerDetails.FindAsync(database, customerId, cancellationToken)
        ?? throw await UnknownAsync(database, customerId, cancellationToken);

    private static async Task<CommandException> UnknownAsync(
        SagasDatabase database,
        string customerId,
        CancellationToken cancellationToken
    )
    {
        var waiting = await PaymentRow.OfCustomerAsync(database, customerId, 1, cancellationToken);
        var hint = waiting is [var payment, ..]
            ? $"Payment {payment.PaymentId} of this customer is {payment.State}. Register the customer: `sagas c {customerId}`."
            : "`sagas customers list` lists the customers.";
        return new CommandException(ExitCode.NotFound, $"Customer {customerId} is not registered. {hint}");
    }

    private static void Write(Terminal terminal, CustomerDetails details)
    {
        var customer = details.Customer;
        var now = terminal.TimeProvider.GetUtcNow();
        var page = new Page(terminal);
        page.Heading($"Customer {customer.CustomerId}", customer.State);
        page.Field("Name", customer.Name)
            .Field("E-mail", customer.Email)
            .Field("Phone", customer.Phone)
            .Field("Version", customer.Version.ToString(CultureInfo.InvariantCulture))
            .Field("At the CRM", customer.SyncedVersion is { } synced ? $"version {synced}" : null)
            .Field("Sync failure", customer.SyncFailure)
            .Field("Data as of", $"{Format.Moment(customer.RegisteredAt)} ({Format.FromNow(customer.RegisteredAt, now)})")
            .Field("Last change", $"{Format.Moment(customer.UpdatedAt)} ({Format.FromNow(customer.UpdatedAt, now)})")
            .Field(
                "Payments",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{customer.Payments:N0}: {customer.Completed:N0} completed, {customer.Open:N0} under way"
                )
            )
            .Field("Correlation id", details.CorrelationId.ToString("D"))
            .WriteFields();
        page.Timeline(details.Timeline);
        if (details.Calls.Count > 0)
            page.Section("Calls to the CRM", ListCalls.Table(terminal, "").Draw(details.Calls));
        if (details.Payments.Count > 0)
            page.Section(Heading(customer, details.Payments.Count), ListPayments.Table(terminal, "").Draw(details.Payments));
        ListOutbox.AddTo(page, terminal, details.Messages);
    }

    private static string Heading(CustomerRow customer, int shown) =>
        customer.Payments > shown ? $"The newest {shown} payments" : "Payments";
}
