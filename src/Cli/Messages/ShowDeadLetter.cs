using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Messages;

/// <summary><c>sagas deadletters show</c>.</summary>
internal static class ShowDeadLetter
{
    public static Command Create(Terminal terminal)
    {
        var id = new Argument<string>("message-id") { Description = "The message's id, as `sagas deadletters list` shows it." };
        var queues = DeadLetterOptions.Queues();
        var command = new SagasCommand(
            "show",
            "Show a message that the services could not consume: the reason, the stack trace and the whole body. It stays "
                + "where it is.",
            "sagas deadletters show 01a1fc3e-7170-7d16-91b2-2f27d6a0625a",
            "sagas deadletters show body-8f14e45fceea --json | jq -r '.[0].body'"
        )
        {
            id,
            queues,
            CommandOptions.RabbitMq(),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var messageId = parse.GetRequiredValue(id);
                await using var broker = await BrokerConnection.ConnectAsync(
                    Connections.RabbitMq(parse, terminal),
                    cancellationToken
                );
                var found = await new DeadLetterQueues(broker).FindAsync(
                    DeadLetterQueues.Of(parse.GetValue(queues)),
                    messageId,
                    cancellationToken
                );
                if (found.Count == 0)
                    throw DeadLetterOptions.NotFound(messageId);
                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(found);
                else
                {
                    foreach (var letter in found)
                        Write(terminal, letter);
                }

                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static void Write(Terminal terminal, DeadLetter letter)
    {
        var now = terminal.TimeProvider.GetUtcNow();
        var page = new Page(terminal);
        page.Heading($"Dead letter {letter.MessageId}", letter.Queue);
        page.Field("Message", letter.Message)
            .Field("Error queue", letter.ErrorQueue)
            .Field("Failed", letter.FailedAt is { } failed ? $"{Format.Moment(failed)} ({Format.FromNow(failed, now)})" : null)
            .Field("Reason", letter.Reason)
            .Field("Exception", letter.ExceptionType)
            .WriteFields();
        if (letter.StackTrace is { } trace)
            page.Section("Stack trace", trace);
        page.Section("Body", letter.Body);
    }
}
