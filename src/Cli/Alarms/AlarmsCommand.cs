using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.List;
using Sagas.Contracts;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas alarms</c>.</summary>
internal static class AlarmsCommand
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var status = CommandOptions.WordOption("--status", "Only alarms with this status", [.. AlarmStatus.All]);
        var command = new SagasCommand(
            "alarms",
            "Show a user's alarms as of their newest changes, active ones first, and what the next digest has.",
            "sagas alarms ada",
            "sagas alarms ada --status critical --watch")
        {
            user, status, CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var userId = parse.GetRequiredValue(user);
            var wanted = parse.GetValue(status);
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var none = wanted is null ? $"No alarms of user {userId} are known." : $"No alarms of user {userId} are {wanted}.";
            return await Table(terminal, none).RunAsync(
                parse, (limit, cancel) => AlarmRow.OfUserAsync(database, userId, wanted, limit, cancel), stop);
        });
        return command;
    }

    private static Listing<AlarmRow> Table(Terminal terminal, string none)
    {
        Column<AlarmRow>[] columns =
        [
            new("Alarm", alarm => alarm.AlarmId),
            new("Status", alarm => alarm.Status, Colour: alarm => Colour(alarm.Status), Break: false),
            new("Changed at", alarm => alarm.ChangedAt, Break: false),
            new("Next digest", alarm => alarm.ToTell ? "has it" : "", Break: false),
            new("Told last", alarm => alarm.ToldChangedAt, FromWidth: 120, Break: false),
            new("Received", alarm => Display.FromNow(alarm.ReceivedAt, terminal.Time.GetUtcNow()), FromWidth: 100, Break: false),
        ];
        return new Listing<AlarmRow>(terminal, columns, none);
    }

    private static string Colour(string status) => status switch
    {
        AlarmStatus.Critical => "red",
        AlarmStatus.Warning => "yellow",
        _ => "green",
    };
}
