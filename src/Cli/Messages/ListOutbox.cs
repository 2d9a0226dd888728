using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Messages;

/// <summary><c>sagas outbox list</c>.</summary>
internal static class ListOutbox
{
    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only messages in this state", OutboxRow.States);
        return new SagasCommand(
            "list",
            "List messages that are committed and not published yet, the oldest first, with the reason and the due time.",
            "sagas outbox list",
            "sagas outbox list --state failing",
            "sagas outbox list --state scheduled --watch"
        )
        {
            state,
        }.Lists(
            terminal,
            parse => Table(terminal, parse.GetValue(state) is { } wanted ? $"No messages are {wanted}." : "No messages wait."),
            (database, parse, limit, cancellationToken) =>
                OutboxRow.OldestAsync(database, parse.GetValue(state), limit, cancellationToken)
        );
    }

    /// <summary>Adds the messages to a page, if there are any.</summary>
    public static void AddTo(Page page, Terminal terminal, IReadOnlyList<OutboxRow> messages)
    {
        if (messages.Count > 0)
            page.Section("Messages that wait", Table(terminal, "").Draw(messages));
    }

    /// <summary>The table of messages.</summary>
    /// <param name="terminal">Where it is written.</param>
    /// <param name="none">What to say when there are none.</param>
    internal static Listing<OutboxRow> Table(Terminal terminal, string none)
    {
        Column<OutboxRow>[] columns =
        [
            new("Message", message => message.Message),
            new("To", message => message.Destination, FromWidth: 100),
            new("State", message => message.State, Colour: message => Format.Colour(message.State), Break: false),
            new("Due", message => Format.FromNow(message.DueAt, terminal.TimeProvider.GetUtcNow()), Break: false),
            new("Failed", message => message.Attempts.ToString(CultureInfo.InvariantCulture), Right: true),
            new("Why", message => Why(message, terminal.TimeProvider.GetUtcNow())),
            new("Message id", message => message.MessageId.ToString("D"), FromWidth: 140, Break: false),
        ];
        return new Listing<OutboxRow>(terminal, columns, none);
    }

    private static string Why(OutboxRow message, DateTimeOffset now) =>
        message is { State: "publishing", HeartbeatAt: { } heartbeat }
            ? $"{message.Why}, heartbeat {Format.FromNow(heartbeat, now)}"
            : message.Why;
}
