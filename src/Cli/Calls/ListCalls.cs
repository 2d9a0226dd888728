using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Calls;

/// <summary><c>sagas calls list</c>.</summary>
internal static class ListCalls
{
    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption("--state", "Only calls in this state", CallRow.OpenStates);
        return new SagasCommand(
            "list",
            "List calls to third parties that are not done, the parked ones first. Parked calls wait for an operator.",
            "sagas calls list",
            "sagas calls list --state parked"
        )
        {
            state,
        }.Lists(
            terminal,
            parse => Table(terminal, parse.GetValue(state) is { } wanted ? $"No calls are {wanted}." : "Every call is done."),
            (database, parse, limit, cancellationToken) =>
                CallRow.OpenAsync(database, parse.GetValue(state), limit, cancellationToken)
        );
    }

    /// <summary>The table of calls.</summary>
    /// <param name="terminal">Where it is written.</param>
    /// <param name="none">What to say when there are none.</param>
    internal static Listing<CallRow> Table(Terminal terminal, string none)
    {
        Column<CallRow>[] columns =
        [
            new("Target", call => call.Target),
            new("For", call => call.PaymentId ?? call.CustomerId ?? call.Key),
            new("State", call => call.State, Colour: call => Format.Colour(call.State), Break: false),
            new("Attempts", call => call.Attempts.ToString(CultureInfo.InvariantCulture), Right: true),
            new("Due", call => Format.FromNow(call.Due, terminal.TimeProvider.GetUtcNow()), Break: false),
            new("Last outcome", call => call.LastOutcome),
            new("Key", call => call.Key, FromWidth: 140, Break: false),
        ];
        return new Listing<CallRow>(terminal, columns, none);
    }
}
