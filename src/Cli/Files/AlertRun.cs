using System.Diagnostics;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Files;

/// <summary>Ingests the files of alerts of one command line and reports the progress.</summary>
internal sealed class AlertRun(Terminal terminal, SagasDatabase database, AlertsOptions options, bool json)
{
    private const int MaxRejectsShown = 10;

    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _lineInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _lastLine = Stopwatch.GetTimestamp();
    private bool _written;

    private bool Rewrites => terminal.Interactive && !json;

    public async Task<int> RunAsync(IReadOnlyList<string> paths, bool follow, CancellationToken cancellationToken)
    {
        try
        {
            var store = new FileStore(database.Source);
            var processor = new FileProcessor(
                new AlertIngest(database.Source, store, options, terminal.TimeProvider, enqueued: null),
                store,
                terminal.TimeProvider
            );
            var results = await FollowAsync(
                Task.WhenAll(paths.Select(path => EnqueueAsync(processor, path, cancellationToken))),
                follow,
                cancellationToken
            );
            return await ReportAsync(paths, results, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync(
                "Interrupted. The services deliver the stored alerts; `sagas files resume` continues with the rest."
            );
            throw;
        }
        finally
        {
            EndLine();
        }
    }

    private async Task<FileResult> EnqueueAsync(FileProcessor processor, string path, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            return await RetryWhileUnavailableAsync(
                () => processor.ProcessAsync(path, null, cancellationToken),
                cancellationToken
            );
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private async Task<FileResult[]> FollowAsync(Task<FileResult[]> enqueuing, bool follow, CancellationToken cancellationToken)
    {
        var since = terminal.TimeProvider.GetUtcNow();
        while (true)
        {
            await Task.WhenAny(enqueuing, Task.Delay(_pollInterval, terminal.TimeProvider, cancellationToken));
            if (enqueuing.IsCompleted)
            {
                var results = await enqueuing;
                var rows = await FindAsync(results, cancellationToken);
                if (!follow || !rows.Any(row => row.IsOpen))
                    return results;
                Show(rows);
                await Task.Delay(_pollInterval, terminal.TimeProvider, cancellationToken);
                continue;
            }

            var newest = await RetryWhileUnavailableAsync(
                () => FileRow.NewestAsync(database, "alerts", null, 100, cancellationToken),
                cancellationToken
            );
            Show([.. newest.Where(row => row.IsOpen || row.AcceptedAt >= since)]);
        }
    }

    private void Show(IReadOnlyList<FileRow> rows)
    {
        if (!Rewrites && Stopwatch.GetElapsedTime(_lastLine) < _lineInterval)
            return;
        _lastLine = Stopwatch.GetTimestamp();
        var (stored, delivered, waiting) = (
            rows.Sum(row => row.Added),
            rows.Sum(row => row.Delivered ?? 0),
            rows.Sum(row => row.Waiting ?? 0)
        );
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{stored:N0} alerts stored, {delivered:N0} delivered, {waiting:N0} waiting, "
                + $"{rows.Sum(row => row.Failed + row.Parked):N0} failed{Rate(delivered)}"
        );
        lock (_lock)
        {
            if (Rewrites)
                terminal.Output.Write($"\r{line}\u001B[K");
            else
                terminal.Error.WriteLine(line);
            _written = Rewrites;
        }
    }

    private string Rate(long delivered) =>
        Format.PerSecond(delivered, Stopwatch.GetElapsedTime(_started).TotalSeconds) is { } rate ? $", {rate}/s" : "";

    private async Task<int> ReportAsync(IReadOnlyList<string> paths, FileResult[] results, CancellationToken cancellationToken)
    {
        EndLine();
        var rows = await FindAsync(results, cancellationToken);
        var reports = paths
            .Zip(results)
            .Select(pair =>
                FileReport.Of(
                    pair.First,
                    pair.Second,
                    rows.First(row => row.FileId == pair.Second.File.FileId),
                    Stopwatch.GetElapsedTime(_started)
                )
            )
            .ToList();
        if (json)
            terminal.WriteJson(reports);
        foreach (var report in reports)
        {
            await (json ? terminal.Error : terminal.Output).WriteLineAsync(Format.Clean(report.Sentence));
            if (!json && report.Rejected > 0)
                await ReportRejectsAsync(report, cancellationToken);
        }

        return reports.TrueForAll(report => report.IsGood) ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task ReportRejectsAsync(FileReport report, CancellationToken cancellationToken)
    {
        var rejects = await RetryWhileUnavailableAsync(
            () => FileRow.RejectsAsync(database, report.FileId, MaxRejectsShown, cancellationToken),
            cancellationToken
        );
        foreach (var (line, reason) in rejects)
            await terminal.Output.WriteLineAsync($"  line {line}: {Format.Clean(reason)}");
        if (report.Rejected > MaxRejectsShown)
            await terminal.Output.WriteLineAsync($"  … all of them: SELECT * FROM file_reject WHERE file_id = '{report.FileId}'");
    }

    private Task<IReadOnlyList<FileRow>> FindAsync(FileResult[] results, CancellationToken cancellationToken) =>
        RetryWhileUnavailableAsync(
            () => FileRow.FindAsync(database, [.. results.Select(result => result.File.FileId)], cancellationToken),
            cancellationToken
        );

    private Task<T> RetryWhileUnavailableAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken) =>
        database.RetryWhileUnavailableAsync(work, Interrupt, terminal.TimeProvider, cancellationToken);

    // Several files report an outage, while the progress is written.
    private void Interrupt(string sentence)
    {
        lock (_lock)
        {
            EndLine();
            terminal.Error.WriteLine(Format.Clean(sentence));
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
