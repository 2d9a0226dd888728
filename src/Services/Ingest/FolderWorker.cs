using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>Takes in the files that are put into the watched folder.</summary>
internal sealed partial class FolderWorker(
    FileIntake intake,
    RejectedRows rejectedRows,
    IOptions<IngestOptions> options,
    TimeProvider time,
    ILoggerFactory loggers) : BackgroundService
{
    private static readonly TimeSpan _afterTrouble = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = loggers.CreateLogger<FolderWorker>();
    private readonly HashSet<string> _passedOver = [];

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Watched is not { } watched)
            return;
        var folder = new WatchedFolder(watched, time, loggers.CreateLogger<WatchedFolder>());
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var path in folder.FilesAsync(stoppingToken))
                    await TakeAsync(folder, path, stoppingToken);
            }
            // The folder cannot be made, or not be written to: that may be put right while this waits.
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                LogFolder(watched.Path, exception.GetBaseException().Message);
                await Task.Delay(options.Value.PollInterval, time, stoppingToken);
            }
        }
    }

    private async Task TakeAsync(WatchedFolder folder, string path, CancellationToken stoppingToken)
    {
        var name = Path.GetFileName(path);
        while (true)
        {
            try
            {
                if (!_passedOver.Contains(path))
                    LogStarted(name);
                var result = await intake.TakeAsync(path, null, stoppingToken);
                await rejectedRows.WriteBesideAsync(result.File.FileId, path, stoppingToken);
                Finish(folder, path, name, result);
                _passedOver.Remove(path);
                return;
            }
            // Another process that watches the same folder was first.
            catch (FileNotFoundException)
            {
                _passedOver.Remove(path);
                return;
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException or FileTakenOverException or InvalidOperationException)
            {
                // The file goes on where it was; nothing of it is lost.
                LogTrouble(name, exception.GetBaseException().Message);
                await Task.Delay(_afterTrouble, time, stoppingToken);
            }
            // It must not be read or moved, or its disk fails: the files behind it need not wait for that.
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (_passedOver.Add(path))
                    LogPassedOver(name, exception.GetBaseException().Message);
                folder.LookAgain(path);
                return;
            }
        }
    }

    private void Finish(WatchedFolder folder, string path, string name, IntakeResult result)
    {
        var (outcome, counts) = (result.Outcome, result.Outcome.Counts);
        if (outcome.State != FileState.Done)
        {
            folder.MoveToFailed(path, outcome.Reason!);
            LogFailed(name, outcome.State, name + WatchedFolder.ReasonSuffix);
            return;
        }
        folder.MoveToDone(path);
        if (result.WasDone)
            LogKnown(name, result.File.FileId);
        else
            LogDone(name, counts.Rows, counts.Added, counts.Changed, counts.Unchanged, counts.Rejected);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Reading {File}")]
    private partial void LogStarted(string file);

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} is done: {Rows} rows, {Added} new, {Changed} changed, {Unchanged} unchanged, {Rejected} rejected")]
    private partial void LogDone(string file, long rows, long added, long changed, long unchanged, long rejected);

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} was ingested before, as {FileId}: nothing was changed")]
    private partial void LogKnown(string file, Guid fileId);

    // The reason may quote the file, and so name people.
    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} is {State} and moved to failed; {ReasonFile} beside it has the reason")]
    private partial void LogFailed(string file, FileState state, string reasonFile);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} goes on in a moment where it was: {Reason}")]
    private partial void LogTrouble(string file, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} is left where it is until it can be read and moved: {Reason}")]
    private partial void LogPassedOver(string file, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The folder {Folder} cannot be watched, trying again: {Reason}")]
    private partial void LogFolder(string folder, string reason);
}
