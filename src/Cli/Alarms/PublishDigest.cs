using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas publish digest</c>.</summary>
internal static class PublishDigest
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var command = new SagasCommand(
            "digest",
            "Publish SendAlarmDigest: tell a user's active alarms that changed since they were told. With none, no digest is sent.",
            "sagas publish digest ada",
            "sagas digests ada  # what was sent")
        {
            user, CommandOptions.RabbitMq(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var request = new SendAlarmDigest(parse.GetRequiredValue(user));
            OutgoingMessage[] messages = [new(request.UserId, request)];
            await Publication.RunAsync(parse, terminal, nameof(SendAlarmDigest), [AlarmsModule.RequestsQueue], messages, stop);
            return ExitCode.Ok;
        });
        return command;
    }
}
