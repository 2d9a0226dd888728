using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Alerts;

/// <summary><c>sagas publish alert</c>.</summary>
internal static class PublishAlert
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var message = new Argument<string>("message") { Description = "What the user is told." };
        var id = CommandOptions.IdOption("--id", "The alert's id; one that was sent before changes nothing. Default: a new one.");
        var count = PublishOptions.Count("Publish N alerts, with the ids <id>-1 to <id>-N.");
        var command = new SagasCommand(
            "alert",
            "Publish SendAlert: the user is alerted through the webhook, once.",
            "sagas publish alert 125 \"Order has been placed\"",
            "sagas publish alert 125 \"Order has been placed\" --id order-7",
            "sagas alerts  # what waits, and what was refused or given up")
        {
            user, message, id, count, CommandOptions.RabbitMq(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var alertId = parse.GetValue(id) ?? $"alert-{Guid.NewGuid():N}";
            var (userId, text) = (parse.GetRequiredValue(user), parse.GetRequiredValue(message));
            var messages = PublishOptions.Ids(alertId, parse.GetValue(count)).Select(each => new OutgoingMessage(each, new SendAlert(each, userId, text)));
            await Publication.RunAsync(parse, terminal, nameof(SendAlert), [AlertsModule.SendAlertQueue], messages, stop);
            return ExitCode.Ok;
        });
        return command;
    }
}
