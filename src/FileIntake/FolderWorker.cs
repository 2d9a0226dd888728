using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sagas.FileIntake.Folders;
using Sagas.FileIntake.Storage;
using Sagas.Persistence;

namespace Sagas.FileIntake;

/// <summary>Processes the files that are put into the watched folder, and moves them to <c>done</c> or <c>failed</c>.</summary>
internal sealed partial class FolderWorker(
    IRowHandler handler,
    FileStore store,
    RejectedRows rejectedRows,
    TimeProvider timeProvider,
    ILoggerFactory loggers
) : BackgroundService
{
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(2);

    private readonly FileProcessor _processor = new(handler, store, timeProvider);
    private readonly ILogger _logger = loggers.CreateLogger<FolderWorker>();

    // Files that could not be read or moved, each logged once.
    private readonly ConcurrentDictionary<string, bool> _unreadable = [];

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (handler.Options.Watched is not { } watched)
            return;
        var folder = new WatchedFolder(watched, timeProvider, loggers.CreateLogger<WatchedFolder>());
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = handler.MaxConcurrentFiles,
            CancellationToken = stoppingToken,
        };
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Parallel.ForEachAsync(
                    folder.FilesAsync(stoppingToken),
                    parallel,
                    async (found, cancellationToken) => await ProcessAsync(folder, found, cancellationToken)
                );
            }
            // The folder cannot be created or read; an operator may fix that.
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                LogFolderUnavailable(watched.Path, watched.PollInterval, exception.GetBaseException().Message);
                await Task.Delay(watched.PollInterval, timeProvider, stoppingToken);
            }
        }
    }

    private async Task ProcessAsync(WatchedFolder folder, FoundFile found, CancellationToken cancellationToken)
    {
        try
        {
            while (!await TryProcessAsync(folder, found, cancellationToken))
                await Task.Delay(_retryDelay, timeProvider, cancellationToken);
        }
        finally
        {
            folder.Release(found);
        }
    }

    // False: the database is unavailable.
    private async Task<bool> TryProcessAsync(WatchedFolder folder, FoundFile found, CancellationToken cancellationToken)
    {
        FoundFile? claimed = null;
        try
        {
            // The lock ends with the process: another one continues with the file then.
            await using var claim = await store.TryLockAsync(found.Claim, cancellationToken);
            claimed = claim is null ? null : folder.Claim(found);
            if (claimed is not null)
                await ReadAsync(folder, claimed, cancellationToken);
        }
        // Another process that watches the same folder was first.
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException) { }
        // Permission is missing, or the disk fails: other files need not wait for that.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (_unreadable.TryAdd(found.Name, true))
                LogUnreadable(handler.Kind, found.Name, exception.GetBaseException().Message);
            folder.LookAgain(found.Path);
        }
        catch (Exception exception)
            when (DatabaseFaults.Classify(exception) is not (DatabaseFault.None or DatabaseFault.InvalidData))
        {
            LogInterrupted(handler.Kind, found.Name, _retryDelay, exception.GetBaseException().Message);
            return false;
        }
        // The other files need not wait for the repair.
        catch (Exception exception) when (claimed is not null && !cancellationToken.IsCancellationRequested)
        {
            LogDefect(exception, handler.Kind, claimed.Name);
            folder.MoveToFailed(claimed, FileOutcome.Defect(exception).Reason!, new FileInfo(claimed.Path).Length);
        }
        return true;
    }

    private async Task ReadAsync(WatchedFolder folder, FoundFile claimed, CancellationToken cancellationToken)
    {
        if (!_unreadable.ContainsKey(claimed.Name))
            LogReading(handler.Kind, claimed.Name);
        var result = await _processor.ProcessAsync(claimed.Path, null, cancellationToken);
        if (result.File.Counts.Rejected > 0)
            await rejectedRows.WriteFileAsync(result.File.FileId, folder.RejectsOf(claimed), cancellationToken);
        Move(folder, claimed, result);
        _unreadable.TryRemove(claimed.Name, out _);
    }

    private void Move(WatchedFolder folder, FoundFile claimed, FileResult result)
    {
        var (file, counts, name) = (result.File, result.File.Counts, claimed.Name);
        if (file.State != FileState.Completed)
        {
            var moved = folder.MoveToFailed(claimed, file.Reason!, file.Length);
            LogFailed(handler.Kind, name, file.State, FileNames.Append(Path.GetFileName(moved), FileNames.Reason));
            return;
        }
        folder.MoveToDone(claimed, file.Length);
        if (result.WasCompleted)
            LogKnown(handler.Kind, name, file.FileId);
        else
            LogCompleted(handler.Kind, name, counts.Rows, counts.Added, counts.Changed, counts.Unchanged, counts.Rejected);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Reading {Kind} file {File}")]
    private partial void LogReading(string kind, string file);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Completed {Kind} file {File}: "
            + "{Rows} rows, {Added} added, {Changed} changed, {Unchanged} unchanged, {Rejected} rejected"
    )]
    private partial void LogCompleted(
        string kind,
        string file,
        long rows,
        long added,
        long changed,
        long unchanged,
        long rejected
    );

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Skipped {Kind} file {File}: the same content was completed before, as file {FileId}"
    )]
    private partial void LogKnown(string kind, string file, Guid fileId);

    // The reason may quote the file, and so personal data.
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The {Kind} file {File} is {State} and was moved to the folder 'failed'; {ReasonFile} there has the reason"
    )]
    private partial void LogFailed(string kind, string file, FileState state, string reasonFile);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Reading the {Kind} file {File} was interrupted and continues in {Delay}: {Reason}"
    )]
    private partial void LogInterrupted(string kind, string file, TimeSpan delay, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The {Kind} file {File} stays in the folder until it can be read and moved; check its permissions: {Reason}"
    )]
    private partial void LogUnreadable(string kind, string file, string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Reading the {Kind} file {File} failed because of a defect; it was moved to the folder 'failed'"
    )]
    private partial void LogDefect(Exception exception, string kind, string file);

    [LoggerMessage(Level = LogLevel.Error, Message = "The folder {Folder} cannot be watched; retrying in {Delay}: {Reason}")]
    private partial void LogFolderUnavailable(string folder, TimeSpan delay, string reason);
}
