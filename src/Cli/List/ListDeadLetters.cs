using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.List;

/// <summary><c>sagas list deadletters</c>.</summary>
internal static class ListDeadLetters
{
    // While watching, messages are fetched again only when their number changed, or after this long: to look at a
    // message is a delivery, which the broker counts.
    private static readonly TimeSpan _looksAgainAfter = TimeSpan.FromSeconds(30);

    public static Command Create(Terminal terminal)
    {
        var queues = DeadLetterOptions.Queues();
        var command = new SagasCommand(
            "deadletters",
            "List messages that the services could not use, with the reason. They stay where they are.",
            "sagas list deadletters",
            "sagas list deadletters --queue billing --json | jq '.[].reason'",
            "sagas retry deadletter <message-id>   # puts one back")
        {
            queues, CommandOptions.RabbitMq(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var uri = Connections.RabbitMq(parse, terminal);
            var errorQueues = DeadLetterQueues.Of(parse.GetValue(queues));
            await using var view = new View(terminal, uri, errorQueues);
            return await Table(terminal).RunAsync(parse, view.ReadAsync, stop);
        });
        return command;
    }

    /// <summary>The table of dead letters.</summary>
    /// <param name="terminal">Takes it.</param>
    internal static Listing<DeadLetter> Table(Terminal terminal)
    {
        Column<DeadLetter>[] columns =
        [
            new("Message id", letter => letter.MessageId, Break: false),
            new("Queue", letter => letter.Queue),
            new("Message", letter => letter.Message, FromWidth: 120),
            new("Failed", letter => Display.FromNow(letter.FailedAt, terminal.Time.GetUtcNow()), FromWidth: 120, Break: false),
            new("Reason", letter => Reason(letter, terminal.Width)),
            new("Body", letter => Beginning(letter.Body, 48), FromWidth: 160),
        ];
        return new Listing<DeadLetter>(terminal, columns, "No dead letters.");
    }

    // Where there is room for it, with the exception; never more than a few lines of it.
    private static string Reason(DeadLetter letter, int width)
    {
        var reason = letter.Reason ?? "";
        var exception = letter.ExceptionType?.Split('.')[^1];
        return Beginning(width >= 140 && exception is not null ? $"{exception}: {reason}" : reason, 240);
    }

    private static string Beginning(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    private sealed class View(Terminal terminal, Uri uri, IReadOnlyList<string> errorQueues) : IAsyncDisposable
    {
        private BrokerConnection? _broker;
        private IReadOnlyList<uint> _counts = [];
        private IReadOnlyList<DeadLetter> _letters = [];
        private long _looked;

        public async Task<IReadOnlyList<DeadLetter>> ReadAsync(int limit, CancellationToken stop)
        {
            if (_broker is { IsOpen: false })
                await DisposeAsync();
            _broker ??= await BrokerConnection.ConnectAsync(uri, stop);
            var queues = new DeadLetterQueues(_broker);
            var counts = await queues.CountAsync(errorQueues, stop);
            if (counts.SequenceEqual(_counts) && terminal.Time.GetElapsedTime(_looked) < _looksAgainAfter)
                return _letters;

            _letters = await queues.PeekAsync(errorQueues, limit, stop);
            _counts = counts;
            _looked = terminal.Time.GetTimestamp();
            return _letters;
        }

        public async ValueTask DisposeAsync()
        {
            if (_broker is not null)
                await _broker.DisposeAsync();
            _broker = null;
        }
    }
}
