using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Contracts;

namespace Sagas.Cli.Payments;

/// <summary><c>sagas payments revive</c>.</summary>
internal static class RevivePaymentCommand
{
    public static Command Create(Terminal terminal)
    {
        var id = CommandOptions.IdArgument("id", "The payment's id.");
        var command = new SagasCommand(
            "revive",
            "Publish RevivePayment: an expired payment waits for its customer for another period.",
            "sagas payments list --state Expired",
            "sagas payments revive invoice-8"
        )
        {
            id,
            CommandOptions.Postgres(),
            CommandOptions.RabbitMq(),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var paymentId = parse.GetRequiredValue(id);
                await using (
                    var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), cancellationToken)
                )
                    await RequireExpiredAsync(database, paymentId, cancellationToken);

                var message = new OutgoingMessage<RevivePayment>(paymentId, new RevivePayment(paymentId, Environment.UserName));
                await using (
                    var broker = await BrokerConnection.ConnectAsync(Connections.RabbitMq(parse, terminal), cancellationToken)
                )
                    await new Publisher(broker, terminal).PublishAsync([PaymentsCommands.Queue], [message], cancellationToken);

                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(message);
                else
                    await terminal.Output.WriteLineAsync(
                        $"Published RevivePayment {paymentId}: it waits for its customer again."
                    );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static async Task RequireExpiredAsync(SagasDatabase database, string paymentId, CancellationToken cancellationToken)
    {
        var payment =
            await PaymentDetails.FindAsync(database, paymentId, cancellationToken)
            ?? throw new CommandException(
                ExitCode.NotFound,
                $"Payment {paymentId} is unknown. `sagas payments list --state Expired` lists the payments that can be revived."
            );
        if (payment.State != "Expired")
            throw new CommandException(
                ExitCode.Failed,
                $"Payment {paymentId} is {payment.State}; only an Expired payment can be revived."
            );
    }
}
