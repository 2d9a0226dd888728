using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;
using Sagas.Contracts;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas alarms list</c>.</summary>
internal static class ListAlarms
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var status = CommandOptions.WordOption("--status", "Only alarms with this status", [.. AlarmStatus.All]);
        return new SagasCommand(
            "list",
            "List a user's alarms, the active ones first, and which of them the next digest contains.",
            "sagas alarms list ada",
            "sagas alarms list ada --status critical --watch"
        )
        {
            user,
            status,
        }.Lists(
            terminal,
            parse =>
            {
                var userId = parse.GetRequiredValue(user);
                return Table(
                    terminal,
                    parse.GetValue(status) is { } wanted
                        ? $"No alarms of user {userId} are {wanted}."
                        : $"User {userId} has no alarms."
                );
            },
            (database, parse, limit, cancellationToken) =>
                AlarmRow.OfUserAsync(database, parse.GetRequiredValue(user), parse.GetValue(status), limit, cancellationToken)
        );
    }

    private static Listing<AlarmRow> Table(Terminal terminal, string none)
    {
        Column<AlarmRow>[] columns =
        [
            new("Alarm", alarm => alarm.AlarmId),
            new("Status", alarm => alarm.Status, Colour: alarm => Colour(alarm.Status), Break: false),
            new("Changed at", alarm => alarm.ChangedAt, Break: false),
            new("Next digest", alarm => alarm.ToTell ? "yes" : "", Break: false),
            new("Reported last", alarm => alarm.ToldChangedAt, FromWidth: 120, Break: false),
            new(
                "Received",
                alarm => Format.FromNow(alarm.ReceivedAt, terminal.TimeProvider.GetUtcNow()),
                FromWidth: 100,
                Break: false
            ),
        ];
        return new Listing<AlarmRow>(terminal, columns, none);
    }

    private static string Colour(string status) =>
        status switch
        {
            AlarmStatus.Critical => "red",
            AlarmStatus.Warning => "yellow",
            _ => "green",
        };
}
