using Sagas.FileIntake.Storage;
using Sagas.Persistence;

namespace Sagas.FileIntake;

/// <summary>Processes files of one kind: each content once, by one process at a time.</summary>
public sealed class FileProcessor(IRowHandler handler, FileStore store, TimeProvider timeProvider)
{
    private static readonly TimeSpan _lockRetryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Adds a file to the store and processes it to its end, from where it was left. A file that is written to
    /// meanwhile is read again when it has settled: its new content is another file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="progress">Called after each commit; null: not reported.</param>
    /// <param name="cancellationToken">Cancels; the file continues where it was when it is processed again.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    /// <exception cref="Npgsql.NpgsqlException">The database is unavailable; what was committed stays.</exception>
    public async Task<FileResult> ProcessAsync(string path, Action<FileProgress>? progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            var version = FileVersion.Of(path);
            var hash = await ContentHash.ComputeAsync(path, version.Length, cancellationToken);
            if (FileVersion.Of(path) == version)
            {
                var result = await ProcessContentAsync(path, version, hash, progress, cancellationToken);
                if (FileVersion.Of(path) == version)
                    return result;
            }
            await UntilSettledAsync(path, cancellationToken);
        }
    }

    /// <summary>Processes a file of the store to its end, from where it was left, unless another process reads it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="progress">Called after each commit; null: not reported.</param>
    /// <param name="cancellationToken">Cancels; the file continues where it was when it is processed again.</param>
    /// <returns>Null when another process reads the file.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    /// <exception cref="Npgsql.NpgsqlException">The database is unavailable; what was committed stays.</exception>
    public Task<FileResult?> TryProcessAsync(
        IncomingFile file,
        string path,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(file);
        return TryProcessAsync(file, path, FileVersion.Of(path), progress, cancellationToken);
    }

    private async Task<FileResult> ProcessContentAsync(
        string path,
        FileVersion version,
        string hash,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var name = Path.GetFileName(path);
        var (file, _) = await store.AddAsync(handler.Kind, name, hash, version.Length, null, cancellationToken);
        while (true)
        {
            if (await TryProcessAsync(file, path, version, progress, cancellationToken) is { } result)
                return result;
            // Another process reads it: show that one's progress, and continue if it is killed.
            file = (await store.FindAsync(file.FileId, cancellationToken))!;
            progress?.Invoke(new FileProgress(file.Counts, 0));
            await Task.Delay(_lockRetryDelay, timeProvider, cancellationToken);
        }
    }

    private async Task<FileResult?> TryProcessAsync(
        IncomingFile file,
        string path,
        FileVersion version,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        if (file.State == FileState.Completed)
            return new FileResult(file, WasCompleted: true);
        await using var fileLock = await store.TryLockAsync(file.FileId, cancellationToken);
        // Another process may have changed it since it was read.
        file = (await store.FindAsync(file.FileId, cancellationToken))!;
        if (file.State == FileState.Completed)
            return new FileResult(file, WasCompleted: true);
        if (fileLock is null)
            return null;
        try
        {
            var outcome = await HandleAsync(file, path, progress, cancellationToken);
            if (
                FileVersion.Of(path) != version
                && await ContentHash.ComputeAsync(path, file.Length, cancellationToken) != file.Hash
            )
                outcome = FileOutcome.Failed("The file was changed while it was read.");
            await store.FinishAsync(file.FileId, outcome.State, outcome.Reason, cancellationToken);
        }
        // The lock's connection broke, and another process took the file over.
        catch (FileTakenOverException)
        {
            return null;
        }
        return new FileResult((await store.FindAsync(file.FileId, cancellationToken))!, WasCompleted: false);
    }

    private async Task<FileOutcome> HandleAsync(
        IncomingFile file,
        string path,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await handler.ProcessAsync(file, path, progress, cancellationToken);
        }
        catch (InvalidDataException damaged)
        {
            return FileOutcome.Failed(damaged.Message);
        }
        // Repeating it would fail again.
        catch (Exception exception) when (DatabaseFaults.Classify(exception) == DatabaseFault.InvalidData)
        {
            return FileOutcome.Failed($"The database does not take what is in the file: {exception.GetBaseException().Message}");
        }
    }

    private async Task UntilSettledAsync(string path, CancellationToken cancellationToken)
    {
        var delay = handler.Options.SettleDelay;
        for (FileVersion? seen = null, now = FileVersion.Of(path); seen != now; now = FileVersion.Of(path))
        {
            seen = now;
            await Task.Delay(delay, timeProvider, cancellationToken);
        }
    }
}
