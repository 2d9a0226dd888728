using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.List;

namespace Sagas.Cli.Retry;

/// <summary><c>sagas retry deadletter</c>.</summary>
internal static class RetryDeadLetter
{
    public static Command Create(Terminal terminal)
    {
        var id = new Argument<string?>("message-id")
        {
            Description = "The message, as `sagas list deadletters` names it.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var all = new Option<bool>("--all") { Description = "Every dead letter that is there now." };
        var type = CommandOptions.TextOption("--as", "Name of the message's type, for plain JSON that does not say what it is: PaymentRequested.");
        var queues = DeadLetterOptions.Queues();
        var command = new SagasCommand(
            "deadletter",
            "Move a message from its error queue back to the queue where it failed, once.",
            "sagas retry deadletter 01a1fc3e-7170-7d16-91b2-2f27d6a0625a",
            "sagas retry deadletter body-8f14e45fceea --as PaymentRequested",
            "sagas retry deadletter --all")
        {
            id, all, type, queues, CommandOptions.RabbitMq(),
        };
        RetryTarget.Require(command, id, all);
        command.SetAction(async (parse, stop) =>
        {
            var errorQueues = DeadLetterQueues.Of(parse.GetValue(queues));
            await using var broker = await BrokerConnection.ConnectAsync(Connections.RabbitMq(parse, terminal), stop);
            var (moved, left) = (new List<DeadLetter>(), new List<DeadLetter>());
            try
            {
                var letters = new DeadLetterQueues(broker);
                foreach (var queue in errorQueues)
                    await letters.MoveBackAsync(queue, parse.GetValue(id), parse.GetValue(type), moved.Add, left.Add, stop);
            }
            catch (Exception) when (moved.Count > 0)
            {
                await terminal.Error.WriteLineAsync($"{Text(moved.Count)} moved back before this:");
                throw;
            }

            if (parse.GetValue(id) is { } named && moved.Count + left.Count == 0)
                throw new CommandException(
                    ExitCode.NotFound, $"No dead letter has the id {named}. `sagas list deadletters` shows what there is.");
            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(new { moved = moved.Select(Short), left = left.Select(Short) });
            else
                Tell(terminal, moved, left);
            return left.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static object Short(DeadLetter letter) => new { letter.MessageId, letter.ErrorQueue, letter.Queue };

    private static void Tell(Terminal terminal, List<DeadLetter> moved, List<DeadLetter> left)
    {
        foreach (var group in moved.GroupBy(letter => letter.Queue))
            terminal.Output.WriteLine($"Moved {Text(group.Count())} back to {group.Key}.");
        foreach (var letter in left)
            terminal.Error.WriteLine(
                $"{letter.MessageId} stays in {letter.ErrorQueue}: it does not say what it is, so it would fail again. If you know, say "
                + $"`sagas retry deadletter {letter.MessageId} --as PaymentRequested`, or whatever it is.");
        if (moved.Count + left.Count == 0)
            terminal.Output.WriteLine("No dead letters.");
    }

    private static string Text(int count) =>
        count == 1 ? "1 message" : string.Create(CultureInfo.InvariantCulture, $"{count:N0} messages");
}
