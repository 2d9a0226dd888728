using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.List;

/// <summary><c>sagas list payments</c>.</summary>
internal static class ListPayments
{
    private static readonly string[] _states = ["AwaitingCustomer", "Processing", "Completed", "Failed", "Expired"];

    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only payments in this state", _states);
        var command = new SagasCommand(
            "payments",
            "List payments, the newest first.",
            "sagas list payments --watch",
            "sagas list payments --state AwaitingCustomer --limit 10",
            "sagas list payments --json | jq '.[] | select(.gatewayAttempts > 1)'")
        {
            state, CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var wanted = parse.GetValue(state);
            return await Table(terminal, wanted is null ? "No payments." : $"No payments are {wanted}.").RunAsync(
                parse,
                (limit, cancel) => PaymentRow.NewestAsync(database, wanted, limit, cancel),
                stop);
        });
        return command;
    }

    /// <summary>The table of payments.</summary>
    /// <param name="terminal">Takes it.</param>
    /// <param name="none">What to say when there are none.</param>
    internal static Listing<PaymentRow> Table(Terminal terminal, string none)
    {
        Column<PaymentRow>[] columns =
        [
            new("Payment", payment => payment.PaymentId),
            new("Customer", payment => payment.CustomerId),
            new("State", payment => payment.State, Colour: payment => Display.Colour(payment.State), Break: false),
            new("Amount", payment => Display.Money(payment.Amount, payment.Currency), Right: true),
            new("Attempts", payment => Text(payment.Attempts), FromWidth: 100, Right: true),
            new("Next", payment => Display.FromNow(payment.NextDueAt, terminal.Time.GetUtcNow()), Break: false),
            new("Took", payment => Took(payment, terminal.Time.GetUtcNow()), FromWidth: 90, Right: true),
            new("Gateway", Gateway, FromWidth: 120, Colour: payment => Display.Colour(payment.GatewayCall)),
            new("Reason", payment => payment.FailureReason, FromWidth: 140),
        ];
        return new Listing<PaymentRow>(terminal, columns, none);
    }

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    // While it is under way: how long it is so already.
    private static string Took(PaymentRow payment, DateTimeOffset now)
    {
        var span = (payment.FinishedAt ?? now) - payment.CreatedAt;
        return Display.Duration(span < TimeSpan.Zero ? TimeSpan.Zero : span) + (payment.FinishedAt is null ? " …" : "");
    }

    private static string Gateway(PaymentRow payment) => (payment.GatewayCall, payment.GatewayAttempts) switch
    {
        (null, _) => "",
        ("done", 1) => payment.GatewayReference ?? "done",
        ("done", var attempts) => $"{payment.GatewayReference ?? "done"} (call {attempts})",
        var (state, attempts) => $"{state}, call {attempts}: {payment.GatewayOutcome}".TrimEnd(' ', ':'),
    };
}
