using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Show;
using Sagas.Contracts;

namespace Sagas.Cli.Retry;

/// <summary><c>sagas revive payment</c>.</summary>
internal static class RevivePaymentCommand
{
    public static Command Create(Terminal terminal)
    {
        var id = CommandOptions.IdArgument("id", "The payment's id.");
        var command = new SagasCommand(
            "payment",
            "Publish RevivePayment: a payment that expired waits for its customer once more.",
            "sagas list payments --state Expired",
            "sagas revive payment invoice-8")
        {
            id, CommandOptions.Postgres(), CommandOptions.RabbitMq(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var paymentId = parse.GetRequiredValue(id);
            await using (var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop))
                await RequireExpiredAsync(database, paymentId, terminal, stop);

            var message = new OutgoingMessage(paymentId, new RevivePayment(paymentId, Environment.UserName));
            await using (var broker = await BrokerConnection.ConnectAsync(Connections.RabbitMq(parse, terminal), stop))
                await new Publisher(broker, terminal).PublishAsync(nameof(RevivePayment), ["payment-saga"], [message], stop);

            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(message);
            else
                await terminal.Output.WriteLineAsync($"Published RevivePayment {paymentId}: it waits for its customer once more.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task RequireExpiredAsync(SagasDatabase database, string paymentId, Terminal terminal, CancellationToken stop)
    {
        var payment = await PaymentDetails.FindAsync(database, paymentId, terminal.Time.GetUtcNow(), stop)
            ?? throw new CommandException(
                ExitCode.NotFound,
                $"No payment {paymentId} is known. `sagas list payments --state Expired` shows what can be revived.");
        if (payment.State != "Expired")
            throw new CommandException(ExitCode.Failed, $"Payment {paymentId} is {payment.State}; only an Expired one can be revived.");
    }
}
