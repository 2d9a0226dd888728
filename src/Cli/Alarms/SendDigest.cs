using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas digests send</c>.</summary>
internal static class SendDigest
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var command = new SagasCommand(
            "send",
            "Publish SendAlarmDigest: send a digest of a user's active alarms that changed since the last one. Without "
                + "any, none is sent.",
            "sagas digests send ada",
            "sagas digests list ada  # the digests that were sent"
        )
        {
            user,
            CommandOptions.RabbitMq(),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var request = new SendAlarmDigest(parse.GetRequiredValue(user));
                OutgoingMessage<SendAlarmDigest>[] messages = [new(request.UserId, request)];
                return await Publication.RunAsync(parse, terminal, AlarmsModule.RequestsQueue, messages, cancellationToken);
            }
        );
        return command;
    }
}
