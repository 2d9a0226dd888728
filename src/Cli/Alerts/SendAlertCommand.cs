using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Alerts;

/// <summary><c>sagas alerts send</c>.</summary>
internal static class SendAlertCommand
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var message = new Argument<string>("message") { Description = "The text." };
        var id = CommandOptions.IdOption("--id", "The alert's id; an id is sent once. Default: a new one.");
        var count = PublishOptions.Count("Publish N alerts, with the ids <id>-1 to <id>-N.");
        var command = new SagasCommand(
            "send",
            "Publish SendAlert: alert a user through the webhook, once.",
            "sagas alerts send 125 \"Order has been placed\"",
            "sagas alerts send 125 \"Order has been placed\" --id order-7",
            "sagas alerts list  # what waits, was rejected or was given up"
        )
        {
            user,
            message,
            id,
            count,
            CommandOptions.RabbitMq(),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var alertId = parse.GetValue(id) ?? $"alert-{Guid.NewGuid():N}";
                var (userId, text) = (parse.GetRequiredValue(user), parse.GetRequiredValue(message));
                var messages = PublishOptions
                    .Ids(alertId, parse.GetValue(count))
                    .Select(each => new OutgoingMessage<SendAlert>(each, new SendAlert(each, userId, text)));
                return await Publication.RunAsync(parse, terminal, AlertsModule.SendAlertQueue, messages, cancellationToken);
            }
        );
        return command;
    }
}
