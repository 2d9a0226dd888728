using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sagas.FileIntake.Folders;
using Sagas.FileIntake.Storage;

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
                    async (path, cancellationToken) => await ProcessAsync(folder, path, cancellationToken)
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

    private async Task ProcessAsync(WatchedFolder folder, string path, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(path);
        while (true)
        {
            try
            {
                if (!_unreadable.ContainsKey(path))
                    LogReading(handler.Kind, name);
                var result = await _processor.ProcessAsync(path, null, cancellationToken);
                if (result.File.Counts.Rejected > 0)
                    await rejectedRows.WriteBesideAsync(result.File.FileId, path, cancellationToken);
                Move(folder, path, name, result);
                _unreadable.TryRemove(path, out _);
                return;
            }
            // Another process that watches the same folder was first.
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                _unreadable.TryRemove(path, out _);
                return;
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException or InvalidOperationException)
            {
                LogInterrupted(handler.Kind, name, _retryDelay, exception.GetBaseException().Message);
                await Task.Delay(_retryDelay, timeProvider, cancellationToken);
            }
            // Permission is missing, or the disk fails: other files need not wait for that.
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (_unreadable.TryAdd(path, true))
                    LogUnreadable(handler.Kind, name, exception.GetBaseException().Message);
                folder.LookAgain(path);
                return;
            }
        }
    }

    private void Move(WatchedFolder folder, string path, string name, FileResult result)
    {
        var (file, counts) = (result.File, result.File.Counts);
        if (file.State != FileState.Completed)
        {
            folder.MoveToFailed(path, file.Reason!);
            LogFailed(handler.Kind, name, file.State, name + WatchedFolder.ReasonSuffix);
            return;
        }
        folder.MoveToDone(path);
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

    [LoggerMessage(Level = LogLevel.Error, Message = "The folder {Folder} cannot be watched; retrying in {Delay}: {Reason}")]
    private partial void LogFolderUnavailable(string folder, TimeSpan delay, string reason);
}
