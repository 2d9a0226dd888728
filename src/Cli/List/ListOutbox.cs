using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.List;

/// <summary><c>sagas list outbox</c>.</summary>
internal static class ListOutbox
{
    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only messages in this state", OutboxRow.States);
        var command = new SagasCommand(
            "outbox",
            "List messages that are committed and not yet with the broker, the oldest first, with why and until when.",
            "sagas list outbox",
            "sagas list outbox --state failing",
            "sagas list outbox --state scheduled --watch")
        {
            state, CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var wanted = parse.GetValue(state);
            return await Table(terminal, wanted is null ? "No messages wait." : $"No messages are {wanted}.").RunAsync(
                parse,
                (limit, cancel) => OutboxRow.OldestAsync(database, wanted, limit, terminal.Time.GetUtcNow(), cancel),
                stop);
        });
        return command;
    }

    /// <summary>The table of messages.</summary>
    /// <param name="terminal">Takes it.</param>
    /// <param name="none">What to say when there are none.</param>
    internal static Listing<OutboxRow> Table(Terminal terminal, string none)
    {
        Column<OutboxRow>[] columns =
        [
            new("Message", message => message.Message),
            new("To", message => message.Destination, FromWidth: 100),
            new("State", message => message.State, Colour: message => Display.Colour(message.State), Break: false),
            new("Due", message => Display.FromNow(message.DueAt, terminal.Time.GetUtcNow()), Break: false),
            new("Failed", message => message.Attempts.ToString(CultureInfo.InvariantCulture), Right: true),
            new("Why", message => message.Why),
            new("Message id", message => message.MessageId.ToString("D"), FromWidth: 140, Break: false),
        ];
        return new Listing<OutboxRow>(terminal, columns, none);
    }
}
