using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;

namespace Sagas.Cli.Files;

/// <summary><c>sagas files list</c>.</summary>
internal static class ListFiles
{
    private static readonly TimeSpan _rateInterval = TimeSpan.FromSeconds(1);

    public static Command Create(Terminal terminal)
    {
        var kind = CommandOptions.WordOption("--kind", "Only files of this kind", FileRow.Kinds);
        var file = CommandOptions.TextOption("--file", "Only files of this name, or the file of this id.");
        return new SagasCommand(
            "list",
            "List files of customers and alerts, the newest first, with their rows, their rejects and their alerts' deliveries.",
            "sagas files list",
            "sagas files list --kind alerts --watch",
            "sagas files list --file alerts.csv --json | jq '.[0].delivered'"
        )
        {
            kind,
            file,
        }.Lists(terminal, _ => Table(terminal), Reader(terminal.TimeProvider, kind, file));
    }

    /// <summary>The table of files.</summary>
    /// <param name="terminal">Where it is written.</param>
    internal static Listing<FileRow> Table(Terminal terminal)
    {
        Column<FileRow>[] columns =
        [
            new("File", row => row.Name, Break: false),
            new("Kind", row => row.Kind, Break: false),
            new("State", row => row.State, Colour: row => Format.Colour(row.State), Break: false),
            new("Rows", row => Number(row.Rows), Right: true),
            new("Rejected", row => Number(row.Rejected), Right: true),
            new("New", row => Number(row.Added), FromWidth: 120, Right: true),
            new("Changed", row => Number(row.Changed), FromWidth: 120, Right: true),
            new("Delivered", row => Number(row.Delivered), Right: true, Always: false),
            new("Waiting", row => Number(row.Waiting), FromWidth: 100, Right: true, Always: false),
            new("Failed", row => Number(row.Failed + row.Parked), Right: true, Always: false),
            new("Rate", Rate, FromWidth: 100, Right: true, Always: false),
            new("Came", row => Format.FromNow(row.AcceptedAt, terminal.TimeProvider.GetUtcNow()), FromWidth: 100, Break: false),
            new("Id", row => row.FileId.ToString(), FromWidth: 190, Break: false),
            new("Reason", row => row.Reason, FromWidth: 140, Always: false),
        ];
        return new Listing<FileRow>(terminal, columns, "No files.");
    }

    private static ListCommand.Reader<FileRow> Reader(TimeProvider timeProvider, Option<string?> kind, Option<string?> file)
    {
        var meter = new FileRateMeter();
        return async (database, parse, limit, cancellationToken) =>
        {
            // A rate takes two readings: --watch compares with the last one, otherwise the second follows a second later.
            var rows = await ReadAsync();
            var measured = meter.Measure(rows);
            if (measured is not null || !rows.Any(row => row.IsOpen))
                return measured ?? rows;
            await Task.Delay(_rateInterval, timeProvider, cancellationToken);
            rows = await ReadAsync();
            return meter.Measure(rows) ?? rows;

            Task<IReadOnlyList<FileRow>> ReadAsync() =>
                FileRow.NewestAsync(database, parse.GetValue(kind), parse.GetValue(file), limit, cancellationToken);
        };
    }

    private static string Rate(FileRow row) => row.PerSecond is { } rate ? $"{Format.PerSecond(rate)}/s" : "";

    private static string Number(long? number) => number?.ToString("N0", CultureInfo.InvariantCulture) ?? "";
}
