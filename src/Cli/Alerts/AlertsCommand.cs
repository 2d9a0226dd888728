using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.List;

namespace Sagas.Cli.Alerts;

/// <summary><c>sagas alerts</c>.</summary>
internal static class AlertsCommand
{
    private static readonly TimeSpan _measuredFor = TimeSpan.FromSeconds(1);

    public static Command Create(Terminal terminal)
    {
        var file = CommandOptions.TextOption("--file", "Only files of this name, or the one of this id.");
        var command = new SagasCommand(
            "alerts",
            "How far the files of alerts are: rows, delivered, waiting, failed, parked, and how fast.",
            "sagas alerts",
            "sagas alerts --file alerts.csv --watch",
            "sagas alerts retry --all")
        {
            file, CommandOptions.Postgres(), AlertsRetry.Create(terminal),
        };
        ListOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var meter = new RateMeter();
            var result = await new Listing<AlertFileRow>(terminal, Columns(terminal), "No files of alerts.").RunAsync(
                parse, (limit, cancel) => ReadAsync(database, parse.GetValue(file), limit, meter, cancel), stop);
            if (await AlertFileRow.EndpointTroubleAsync(database, stop) is { } trouble)
                await terminal.Error.WriteLineAsync(trouble);
            return result;
        });
        return command;
    }

    private static Column<AlertFileRow>[] Columns(Terminal terminal) =>
    [
        new("File", row => row.Name),
        new("State", row => row.State, Break: false),
        new("Rows", row => Number(row.Rows), Right: true),
        new("Delivered", row => Number(row.Delivered), Right: true),
        new("Waiting", row => Number(row.Waiting), Right: true),
        new("Failed", row => Number(row.Failed), Right: true),
        new("Parked", row => Number(row.Parked), Right: true),
        new("Rejected", row => Number(row.Rejected), Right: true),
        new("Rate", row => row.PerSecond is { } rate ? string.Create(CultureInfo.InvariantCulture, $"{rate:0.#}/s") : "", Right: true),
        new("Came", row => Display.FromNow(row.CreatedAt, terminal.Time.GetUtcNow()), FromWidth: 100, Break: false),
        new("Id", row => row.FileId.ToString(), FromWidth: 140, Break: false),
        new("Reason", row => row.Reason, FromWidth: 120),
    ];

    // A rate takes two looks: with --watch the last one serves, otherwise it is taken a second apart.
    private static async Task<IReadOnlyList<AlertFileRow>> ReadAsync(
        SagasDatabase database, string? file, int limit, RateMeter meter, CancellationToken stop)
    {
        var rows = await AlertFileRow.NewestAsync(database, file, limit, stop);
        var measured = meter.Measure(rows);
        if (measured is not null || !rows.Any(row => row.IsUnderWay))
            return measured ?? rows;
        await Task.Delay(_measuredFor, stop);
        rows = await AlertFileRow.NewestAsync(database, file, limit, stop);
        return meter.Measure(rows) ?? rows;
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private sealed class RateMeter
    {
        private Dictionary<Guid, long>? _delivered;
        private long _at;

        public IReadOnlyList<AlertFileRow>? Measure(IReadOnlyList<AlertFileRow> rows)
        {
            var (before, seconds) = (_delivered, Stopwatch.GetElapsedTime(_at).TotalSeconds);
            (_delivered, _at) = (rows.ToDictionary(row => row.FileId, row => row.Delivered), Stopwatch.GetTimestamp());
            return before is null
                ? null
                : [.. rows.Select(row => row.IsUnderWay && before.TryGetValue(row.FileId, out var then)
                    ? row with { PerSecond = (row.Delivered - then) / seconds }
                    : row)];
        }
    }
}
