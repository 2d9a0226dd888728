using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.List;

namespace Sagas.Cli.Show;

/// <summary><c>sagas show payment</c>.</summary>
internal static class ShowPayment
{
    public static Command Create(Terminal terminal)
    {
        var id = CommandOptions.IdArgument("id", "The payment's id.");
        var command = new SagasCommand(
            "payment",
            "Show a payment: its data, what it went through, what it waits for, its call to the gateway.",
            "sagas show payment invoice-8",
            "sagas show payment invoice-8 --json | jq '.timeline[].toState'")
        {
            id, CommandOptions.Postgres(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var paymentId = parse.GetRequiredValue(id);
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var payment = await PaymentDetails.FindAsync(database, paymentId, terminal.Time.GetUtcNow(), stop)
                ?? throw new CommandException(
                    ExitCode.NotFound,
                    $"No payment {paymentId} is known. `sagas list payments` shows what there is; a request that could not be "
                    + "used is among `sagas list deadletters`.");
            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(payment);
            else
                Write(terminal, payment);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Writes the page.</summary>
    internal static void Write(Terminal terminal, PaymentDetails payment)
    {
        var now = terminal.Time.GetUtcNow();
        var page = new Page(terminal);
        page.Heading($"Payment {payment.PaymentId}", payment.State);
        page.Field("Amount", Display.Money(payment.Amount, payment.Currency))
            .Field("Customer", payment.CustomerId + (payment.CustomerIsKnown ? "" : " (not registered yet)"))
            .Field("Requested", When(payment.RequestedAt, now))
            .Field("Known here since", When(payment.CreatedAt, now))
            .Field("Last change", When(payment.UpdatedAt, now))
            .Field("Attempts", payment.Attempts.ToString(CultureInfo.InvariantCulture) + " times the customer was looked for in vain")
            .Field("Next due", When(payment.NextDueAt, now))
            .Field("Deadline", payment.State == "AwaitingCustomer" ? When(payment.DeadlineAt, now) : null)
            .Field("Gateway reference", payment.GatewayReference)
            .Field("Reason", payment.FailureReason)
            .Field("Finished", payment.FinishedAt is { } finished
                ? $"{When(finished, now)}, {Display.Duration(finished - payment.CreatedAt)} after it became known"
                : null)
            .Field("Correlation id", payment.CorrelationId.ToString("D"))
            .WriteFields();
        page.Timeline(payment.Timeline);
        if (payment.GatewayCall is { } call)
            page.Section("Call to the gateway", ListCalls.Table(terminal, "").Draw([call]));
        page.Messages(payment.Messages);
    }

    private static string? When(DateTimeOffset? time, DateTimeOffset now) =>
        time is null ? null : $"{Display.Moment(time)} ({Display.FromNow(time, now)})";
}
