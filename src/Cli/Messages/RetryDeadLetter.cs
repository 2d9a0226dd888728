using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Messages;

/// <summary><c>sagas deadletters retry</c>.</summary>
internal static class RetryDeadLetter
{
    public static Command Create(Terminal terminal)
    {
        var id = new Argument<string?>("message-id")
        {
            Description = "The message's id, as `sagas deadletters list` shows it.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var all = new Option<bool>("--all") { Description = "Every dead letter." };
        var type = CommandOptions.TextOption("--as", "The type of a message that does not name it, such as PaymentRequested.");
        var queues = DeadLetterOptions.Queues();
        var command = new SagasCommand(
            "retry",
            "Move a message from its error queue back to the queue where it failed.",
            "sagas deadletters retry 01a1fc3e-7170-7d16-91b2-2f27d6a0625a",
            "sagas deadletters retry body-8f14e45fceea --as PaymentRequested",
            "sagas deadletters retry --all"
        )
        {
            id,
            all,
            type,
            queues,
            CommandOptions.RabbitMq(),
        };
        ExclusiveOptions.RequireOneOf(command, id, all);
        command.SetAction(
            (parse, cancellationToken) =>
                RetryAsync(
                    parse,
                    terminal,
                    DeadLetterQueues.Of(parse.GetValue(queues)),
                    parse.GetValue(id),
                    parse.GetValue(type),
                    cancellationToken
                )
        );
        return command;
    }

    private static async Task<int> RetryAsync(
        ParseResult parse,
        Terminal terminal,
        IReadOnlyList<string> errorQueues,
        string? messageId,
        string? type,
        CancellationToken cancellationToken
    )
    {
        await using var broker = await BrokerConnection.ConnectAsync(Connections.RabbitMq(parse, terminal), cancellationToken);
        var (moved, left) = (new List<DeadLetter>(), new List<DeadLetter>());
        try
        {
            var letters = new DeadLetterQueues(broker);
            foreach (var queue in errorQueues)
                await letters.MoveBackAsync(queue, messageId, type, moved.Add, left.Add, cancellationToken);
        }
        catch (Exception) when (moved.Count > 0)
        {
            await terminal.Error.WriteLineAsync($"Moved {Text(moved.Count)} back before this error:");
            throw;
        }

        if (messageId is not null && moved.Count + left.Count == 0)
            throw DeadLetterOptions.NotFound(messageId);
        if (parse.GetValue<bool>(CommandOptions.JsonName))
            terminal.WriteJson(new { moved = moved.Select(Short), left = left.Select(Short) });
        else
            Report(terminal, moved, left);
        return left.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static object Short(DeadLetter letter) =>
        new
        {
            letter.MessageId,
            letter.ErrorQueue,
            letter.Queue,
        };

    private static void Report(Terminal terminal, List<DeadLetter> moved, List<DeadLetter> left)
    {
        foreach (var group in moved.GroupBy(letter => letter.Queue))
            terminal.Output.WriteLine($"Moved {Text(group.Count())} back to {group.Key}.");
        foreach (var letter in left)
            terminal.Error.WriteLine(
                $"{letter.MessageId} stays in {letter.ErrorQueue}: it does not name its type and would fail again. Name the "
                    + $"type: `sagas deadletters retry {letter.MessageId} --as PaymentRequested`."
            );
        if (moved.Count + left.Count == 0)
            terminal.Output.WriteLine("No dead letters.");
    }

    private static string Text(int count) =>
        count == 1 ? "1 message" : string.Create(CultureInfo.InvariantCulture, $"{count:N0} messages");
}
