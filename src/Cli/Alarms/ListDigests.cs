using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas digests list</c>.</summary>
internal static class ListDigests
{
    // As many as fit a line or two; --json has all of them.
    private const int AlarmsShown = 3;

    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        return new SagasCommand(
            "list",
            "List the digests that were sent to a user, the newest first, with their alarms.",
            "sagas digests list ada",
            "sagas digests list ada --json | jq '.[0].alarms'"
        )
        {
            user,
        }.Lists(
            terminal,
            parse => Table(terminal, $"No digests were sent to user {parse.GetRequiredValue(user)}."),
            (database, parse, limit, cancellationToken) =>
                DigestRow.OfUserAsync(database, parse.GetRequiredValue(user), limit, cancellationToken)
        );
    }

    private static Listing<DigestRow> Table(Terminal terminal, string none)
    {
        Column<DigestRow>[] columns =
        [
            new("Sent", digest => Format.ExactMoment(digest.SentAt), Break: false),
            new("Alarms", digest => digest.Alarms.Count.ToString(CultureInfo.InvariantCulture), Right: true),
            new("Contents", Contents),
            new("Message id", digest => digest.MessageId.ToString("D"), FromWidth: 140, Break: false),
        ];
        return new Listing<DigestRow>(terminal, columns, none);
    }

    private static string Contents(DigestRow digest)
    {
        var alarms = digest.Alarms.Take(AlarmsShown).Select(alarm => $"{alarm.AlarmId} {alarm.Status} {alarm.LatestChangedAt}");
        return string.Join(", ", alarms) + (digest.Alarms.Count > AlarmsShown ? ", …" : "");
    }
}
