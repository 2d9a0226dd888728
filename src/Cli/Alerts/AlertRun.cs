using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Alerts;

/// <summary>Enters the files of one command line, and says how their delivery goes.</summary>
internal sealed class AlertRun(Terminal terminal, SagasDatabase database, AlertsOptions options, bool json)
{
    private const int RejectsTold = 10;

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _betweenLines = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _lastLine = Stopwatch.GetTimestamp();
    private bool _written;

    private bool Rewrites => terminal.Interactive && !json;

    public async Task<int> RunAsync(IReadOnlyList<string> paths, bool noWait, CancellationToken stop)
    {
        try
        {
            var store = new FileStore(database.Source);
            var processor = new FileProcessor(
                new AlertIngest(database.Source, store, options, terminal.Time, enqueued: null), store, terminal.Time);
            var results = await FollowAsync(Task.WhenAll(paths.Select(path => EnqueueAsync(processor, path, stop))), noWait, stop);
            return await TellAsync(results, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync("Interrupted. What is enqueued is delivered; the same command goes on with the rest.");
            throw;
        }
        finally
        {
            EndLine();
        }
    }

    private async Task<FileResult> EnqueueAsync(FileProcessor processor, string path, CancellationToken stop)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            return await OutlastAsync(() => processor.ProcessAsync(path, null, stop), stop);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private async Task<FileResult[]> FollowAsync(Task<FileResult[]> enqueuing, bool noWait, CancellationToken stop)
    {
        var since = DateTimeOffset.UtcNow;
        while (true)
        {
            await Task.WhenAny(enqueuing, Task.Delay(_look, terminal.Time, stop));
            if (enqueuing.IsCompleted)
            {
                var results = await enqueuing;
                var rows = await FindAsync(results, stop);
                if (noWait || !rows.Any(row => row.IsUnderWay))
                    return results;
                Show(rows);
                await Task.Delay(_look, terminal.Time, stop);
                continue;
            }

            var newest = await OutlastAsync(() => AlertFileRow.NewestAsync(database, null, 100, stop), stop);
            Show([.. newest.Where(row => row.IsUnderWay || row.CreatedAt >= since)]);
        }
    }

    private void Show(IReadOnlyList<AlertFileRow> rows)
    {
        if (!Rewrites && Stopwatch.GetElapsedTime(_lastLine) < _betweenLines)
            return;
        _lastLine = Stopwatch.GetTimestamp();
        var (enqueued, delivered, waiting) = (rows.Sum(row => row.Rows), rows.Sum(row => row.Delivered), rows.Sum(row => row.Waiting));
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{enqueued:N0} rows enqueued, {delivered:N0} delivered, {waiting:N0} waiting, {rows.Sum(row => row.Failed + row.Parked):N0} failed, "
            + $"{delivered / Stopwatch.GetElapsedTime(_started).TotalSeconds:0.#}/s");
        lock (_lock)
        {
            if (Rewrites)
                terminal.Output.Write($"\r{line}\u001B[K");
            else
                terminal.Error.WriteLine(line);
            _written = Rewrites;
        }
    }

    private async Task<int> TellAsync(FileResult[] results, CancellationToken stop)
    {
        EndLine();
        var rows = await FindAsync(results, stop);
        if (json)
            terminal.WriteJson(rows);
        foreach (var result in results)
        {
            var row = rows.First(each => each.FileId == result.File.FileId);
            await (json ? terminal.Error : terminal.Output).WriteLineAsync(Display.Clean(Sentence(result, row)));
            if (!json)
                await TellRejectsAsync(row, stop);
        }

        return results.All(result => result.File.State == FileState.Completed) && rows.All(row => row.Failed + row.Parked + row.Rejected == 0)
            ? ExitCode.Ok
            : ExitCode.Failed;
    }

    private static string Sentence(FileResult result, AlertFileRow row)
    {
        var counts = string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Rows:N0} rows, {row.Delivered:N0} delivered, {row.Waiting:N0} waiting, {row.Failed:N0} failed, {row.Parked:N0} parked, {row.Rejected:N0} rejected");
        return result switch
        {
            { WasCompleted: true } => $"{row.Name}: was sent before and is not sent again ({counts}).",
            { File.State: FileState.Completed } => $"{row.Name}: {counts}.",
            _ => $"{row.Name}: {row.State}. {row.Reason} ({counts})",
        };
    }

    private async Task TellRejectsAsync(AlertFileRow row, CancellationToken stop)
    {
        if (row.Rejected == 0)
            return;
        var rejects = await OutlastAsync(
            () => database.QueryAsync(
                "SELECT line, reason FROM file_reject WHERE file_id = $1 ORDER BY line LIMIT $2",
                reject => $"  line {reject.Get<long>("line")}: {reject.Text("reason")}",
                stop,
                new NpgsqlParameter { Value = row.FileId },
                new NpgsqlParameter { Value = RejectsTold }),
            stop);
        foreach (var reject in rejects)
            await terminal.Output.WriteLineAsync(reject);
        if (row.Rejected > RejectsTold)
            await terminal.Output.WriteLineAsync($"  … SELECT * FROM file_reject WHERE file_id = '{row.FileId}' has them all.");
    }

    private Task<IReadOnlyList<AlertFileRow>> FindAsync(FileResult[] results, CancellationToken stop) =>
        OutlastAsync(() => AlertFileRow.FindAsync(database, [.. results.Select(result => result.File.FileId)], stop), stop);

    private Task<T> OutlastAsync<T>(Func<Task<T>> work, CancellationToken stop) => database.OutlastAsync(work, Interrupt, terminal.Time, stop);

    // The files say it too, while the progress is written.
    private void Interrupt(string sentence)
    {
        lock (_lock)
        {
            EndLine();
            terminal.Error.WriteLine(Display.Clean(sentence));
        }
    }

    private void EndLine()
    {
        lock (_lock)
        {
            if (_written)
                terminal.Output.Write("\r\u001B[K");
            _written = false;
        }
    }
}
