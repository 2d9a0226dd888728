using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Calls;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Messages;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Payments;

/// <summary><c>sagas payments show</c>.</summary>
internal static class ShowPayment
{
    public static Command Create(Terminal terminal) =>
        new SagasCommand(
            "show",
            "Show a payment: its data, its history, what it waits for, and its call to the gateway.",
            "sagas payments show invoice-8",
            "sagas payments show invoice-8 --json | jq '.timeline[].toState'"
        ).Shows(terminal, "The payment's id.", FindAsync, Write);

    private static async Task<PaymentDetails> FindAsync(
        SagasDatabase database,
        string paymentId,
        CancellationToken cancellationToken
    ) =>
        await PaymentDetails.FindAsync(database, paymentId, cancellationToken)
        ?? throw new CommandException(
            ExitCode.NotFound,
            $"Payment {paymentId} is unknown. `sagas payments list` lists the payments, and `sagas deadletters list` the "
                + "requests that the services rejected."
        );

    /// <summary>Writes the page.</summary>
    internal static void Write(Terminal terminal, PaymentDetails payment)
    {
        var now = terminal.TimeProvider.GetUtcNow();
        var page = new Page(terminal);
        page.Heading($"Payment {payment.PaymentId}", payment.State);
        page.Field("Amount", Format.Money(payment.Amount, payment.Currency))
            .Field("Customer", payment.CustomerId + (payment.CustomerIsKnown ? "" : " (not registered yet)"))
            .Field("Requested", When(payment.RequestedAt, now))
            .Field("Received", When(payment.CreatedAt, now))
            .Field("Last change", When(payment.UpdatedAt, now))
            .Field("Attempts", payment.Attempts.ToString(CultureInfo.InvariantCulture) + " to find the customer")
            .Field("Next due", When(payment.NextDueAt, now))
            .Field("Deadline", payment.State == "AwaitingCustomer" ? When(payment.DeadlineAt, now) : null)
            .Field("Gateway reference", payment.GatewayReference)
            .Field("Reason", payment.FailureReason)
            .Field(
                "Finished",
                payment.FinishedAt is { } finished
                    ? $"{When(finished, now)}, {Format.Duration(finished - payment.CreatedAt)} after it was received"
                    : null
            )
            .Field("Correlation id", payment.CorrelationId.ToString("D"))
            .WriteFields();
        page.Timeline(payment.Timeline);
        if (payment.GatewayCall is { } call)
            page.Section("Call to the gateway", ListCalls.Table(terminal, "").Draw([call]));
        ListOutbox.AddTo(page, terminal, payment.Messages);
    }

    private static string? When(DateTimeOffset? time, DateTimeOffset now) =>
        time is null ? null : $"{Format.Moment(time)} ({Format.FromNow(time, now)})";
}
