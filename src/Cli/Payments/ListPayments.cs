using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Payments;

/// <summary><c>sagas payments list</c>.</summary>
internal static class ListPayments
{
    private static readonly string[] _states = ["AwaitingCustomer", "Processing", "Completed", "Failed", "Expired"];

    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only payments in this state", _states);
        return new SagasCommand(
            "list",
            "List payments, the newest first.",
            "sagas payments list --watch",
            "sagas payments list --state AwaitingCustomer --limit 10",
            "sagas payments list --json | jq '.[] | select(.gatewayAttempts > 1)'"
        )
        {
            state,
        }.Lists(
            terminal,
            parse => Table(terminal, parse.GetValue(state) is { } wanted ? $"No payments are {wanted}." : "No payments."),
            (database, parse, limit, cancellationToken) =>
                PaymentRow.NewestAsync(database, parse.GetValue(state), limit, cancellationToken)
        );
    }

    /// <summary>The table of payments.</summary>
    /// <param name="terminal">Where it is written.</param>
    /// <param name="none">What to say when there are none.</param>
    internal static Listing<PaymentRow> Table(Terminal terminal, string none)
    {
        Column<PaymentRow>[] columns =
        [
            new("Payment", payment => payment.PaymentId),
            new("Customer", payment => payment.CustomerId),
            new("State", payment => payment.State, Colour: payment => Format.Colour(payment.State), Break: false),
            new("Amount", payment => Format.Money(payment.Amount, payment.Currency), Right: true),
            new("Attempts", payment => Text(payment.Attempts), FromWidth: 100, Right: true),
            new("Next", payment => Format.FromNow(payment.NextDueAt, terminal.TimeProvider.GetUtcNow()), Break: false),
            new("Took", payment => Took(payment, terminal.TimeProvider.GetUtcNow()), FromWidth: 90, Right: true),
            new("Gateway", Gateway, FromWidth: 120, Colour: payment => Format.Colour(payment.GatewayCall)),
            new("Reason", payment => payment.FailureReason, FromWidth: 140),
        ];
        return new Listing<PaymentRow>(terminal, columns, none);
    }

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    // An ellipsis marks a payment that is not finished.
    private static string Took(PaymentRow payment, DateTimeOffset now)
    {
        var span = (payment.FinishedAt ?? now) - payment.CreatedAt;
        return Format.Duration(span < TimeSpan.Zero ? TimeSpan.Zero : span) + (payment.FinishedAt is null ? " …" : "");
    }

    private static string Gateway(PaymentRow payment) =>
        (payment.GatewayCall, payment.GatewayAttempts) switch
        {
            (null, _) => "",
            ("done", 1) => payment.GatewayReference ?? "done",
            ("done", var attempts) => $"{payment.GatewayReference ?? "done"} (call {attempts})",
            var (state, attempts) => $"{state}, call {attempts}: {payment.GatewayOutcome}".TrimEnd(' ', ':'),
        };
}
