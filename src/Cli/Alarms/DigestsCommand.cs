using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.List;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas digests</c>.</summary>
internal static class DigestsCommand
{
    // What fits a line or two; --json has all of them.
    private const int AlarmsShown = 3;

    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var command = new SagasCommand(
            "digests",
            "Show the digests that were sent to a user, the newest first, with what they told.",
            "sagas digests ada",
            "sagas digests ada --json | jq '.[0].alarms'")
        {
            user, CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var userId = parse.GetRequiredValue(user);
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            return await Table(terminal, $"No digests were sent to user {userId}.").RunAsync(
                parse, (limit, cancel) => DigestRow.OfUserAsync(database, userId, limit, cancel), stop);
        });
        return command;
    }

    private static Listing<DigestRow> Table(Terminal terminal, string none)
    {
        Column<DigestRow>[] columns =
        [
            new("Sent", digest => Display.ExactMoment(digest.SentAt), Break: false),
            new("Alarms", digest => digest.Alarms.Count.ToString(CultureInfo.InvariantCulture), Right: true),
            new("Told", Told),
            new("Message id", digest => digest.MessageId.ToString("D"), FromWidth: 140, Break: false),
        ];
        return new Listing<DigestRow>(terminal, columns, none);
    }

    private static string Told(DigestRow digest)
    {
        var alarms = digest.Alarms.Take(AlarmsShown).Select(alarm => $"{alarm.AlarmId} {alarm.Status} {alarm.LatestChangedAt}");
        return string.Join(", ", alarms) + (digest.Alarms.Count > AlarmsShown ? ", …" : "");
    }
}
