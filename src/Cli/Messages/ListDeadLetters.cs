using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Messages;

/// <summary><c>sagas deadletters list</c>.</summary>
internal static class ListDeadLetters
{
    public static Command Create(Terminal terminal)
    {
        var queues = DeadLetterOptions.Queues();
        var command = new SagasCommand(
            "list",
            "List messages that the services could not consume, with the reason. They stay where they are.",
            "sagas deadletters list",
            "sagas deadletters list --queue billing --json | jq '.[].reason'"
        )
        {
            queues,
            CommandOptions.RabbitMq(),
        };
        ListOptions.AddTo(command);
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var uri = Connections.RabbitMq(parse, terminal);
                var errorQueues = DeadLetterQueues.Of(parse.GetValue(queues));
                await using var view = new DeadLetterView(terminal, uri, errorQueues);
                return await Table(terminal).RunAsync(parse, view.ReadAsync, cancellationToken);
            }
        );
        return command;
    }

    /// <summary>The table of dead letters.</summary>
    /// <param name="terminal">Where it is written.</param>
    internal static Listing<DeadLetter> Table(Terminal terminal)
    {
        Column<DeadLetter>[] columns =
        [
            new("Message id", letter => letter.MessageId, Break: false),
            new("Queue", letter => letter.Queue),
            new("Message", letter => letter.Message, FromWidth: 120),
            new(
                "Failed",
                letter => Format.FromNow(letter.FailedAt, terminal.TimeProvider.GetUtcNow()),
                FromWidth: 120,
                Break: false
            ),
            new("Reason", letter => Reason(letter, terminal.Width)),
            new("Body", letter => Beginning(letter.Body, 48), FromWidth: 160),
        ];
        return new Listing<DeadLetter>(terminal, columns, "No dead letters.");
    }

    // With the exception in a wide terminal, and a few lines at most.
    private static string Reason(DeadLetter letter, int width)
    {
        var reason = letter.Reason ?? "";
        var exception = letter.ExceptionType?.Split('.')[^1];
        return Beginning(width >= 140 && exception is not null ? $"{exception}: {reason}" : reason, 240);
    }

    private static string Beginning(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";
}
