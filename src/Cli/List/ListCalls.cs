using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.List;

/// <summary><c>sagas list calls</c>.</summary>
internal static class ListCalls
{
    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only calls in this state", CallRow.OpenStates);
        var command = new SagasCommand(
            "calls",
            "List calls to third parties that are not done: parked ones, which need a person, first.",
            "sagas list calls",
            "sagas list calls --state parked")
        {
            state, CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var wanted = parse.GetValue(state);
            return await Table(terminal, wanted is null ? "Every call is done." : $"No calls are {wanted}.").RunAsync(
                parse,
                (limit, cancel) => CallRow.OpenAsync(database, wanted, limit, cancel),
                stop);
        });
        return command;
    }

    /// <summary>The table of calls.</summary>
    /// <param name="terminal">Takes it.</param>
    /// <param name="none">What to say when there are none.</param>
    internal static Listing<CallRow> Table(Terminal terminal, string none)
    {
        Column<CallRow>[] columns =
        [
            new("Target", call => call.Target),
            new("For", call => call.PaymentId ?? call.CustomerId ?? call.Key),
            new("State", call => call.State, Colour: call => Display.Colour(call.State), Break: false),
            new("Attempts", call => call.Attempts.ToString(CultureInfo.InvariantCulture), Right: true),
            new("Due", call => Display.FromNow(call.Due, terminal.Time.GetUtcNow()), Break: false),
            new("Last outcome", call => call.LastOutcome),
            new("Key", call => call.Key, FromWidth: 140, Break: false),
        ];
        return new Listing<CallRow>(terminal, columns, none);
    }
}
