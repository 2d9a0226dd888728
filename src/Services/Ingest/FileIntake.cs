using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>Takes a file in, whichever way it came: once for its content, by one process at a time.</summary>
/// <param name="ingest">Does its rows.</param>
/// <param name="register">The files that came in.</param>
/// <param name="time">The clock.</param>
public sealed class FileIntake(CustomerIngest ingest, FileRegister register, TimeProvider time)
{
    private static readonly TimeSpan _betweenClaims = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads a file to its end, from where it was left.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="progress">Told of what is durable; null: nobody.</param>
    /// <param name="cancellationToken">Stops; the file goes on where it was when it is taken in again.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    /// <exception cref="Npgsql.NpgsqlException">The database is away.</exception>
    public async Task<IntakeResult> TakeAsync(string path, Action<IngestProgress>? progress, CancellationToken cancellationToken)
    {
        var hash = await ContentHash.ComputeAsync(path, cancellationToken);
        var length = new FileInfo(path).Length;
        var (file, _) = await register.EnterAsync(CustomerIngest.Kind, Path.GetFileName(path), hash, length, null, cancellationToken);
        return await TakeAsync(file, path, progress, cancellationToken);
    }

    /// <summary>Reads a file that is registered to its end, from where it was left.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="progress">Told of what is durable; null: nobody.</param>
    /// <param name="cancellationToken">Stops; the file goes on where it was when it is taken in again.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    /// <exception cref="Npgsql.NpgsqlException">The database is away.</exception>
    public async Task<IntakeResult> TakeAsync(RegisteredFile file, string path, Action<IngestProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(file);
        while (true)
        {
            if (file.State == FileState.Done)
                return new IntakeResult(file, new IngestOutcome(FileState.Done, null, file.Counts), WasDone: true);
            await using var claim = await register.TryClaimAsync(file.FileId, cancellationToken);
            // What was known of the file may be out of date by now.
            file = (await register.FindAsync(file.FileId, cancellationToken))!;
            if (file.State == FileState.Done)
                continue;
            if (claim is not null)
                return new IntakeResult(file, await ingest.RunAsync(file, path, progress, cancellationToken), WasDone: false);
            // Another process reads it. Its progress is shown; should it be killed, this one goes on.
            progress?.Invoke(new IngestProgress(file.Counts, 0));
            await Task.Delay(_betweenClaims, time, cancellationToken);
        }
    }
}

/// <summary>How taking a file in ended.</summary>
/// <param name="File">The file, as it was before.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="WasDone">The same content had been read to its end before, or by another process meanwhile: nothing was done here.</param>
public sealed record IntakeResult(RegisteredFile File, IngestOutcome Outcome, bool WasDone);
