using Npgsql;
using Sagas.Services.Files;

namespace Sagas.Services.Alerts;

/// <summary>What became of a file.</summary>
internal enum FileEnd
{
    /// <summary>Every row is entered or rejected.</summary>
    Entered,

    /// <summary>Its content had been entered before: nothing was done.</summary>
    Known,

    /// <summary>Another process reads it.</summary>
    Elsewhere,

    /// <summary>It cannot be used.</summary>
    Failed,
}

/// <summary>What became of a file, and why.</summary>
internal sealed record FileResult(FileEnd End, Guid FileId, long Rows, long Rejected, string? Reason = null);

/// <summary>
/// Enters the rows of files in the ledger: no more of a file than is delivered soon, so that neither memory nor the ledger
/// fills, and files that come together take turns. Each piece commits with the place to go on at, so a reading that was
/// cut off anywhere goes on behind its last committed row, here or in another process.
/// </summary>
internal sealed class AlertFileIntake(NpgsqlDataSource database, FileRegister register, AlertsOptions options, TimeProvider time, Action entered)
{
    /// <summary>What these files are called in the register.</summary>
    public const string Kind = "alerts";

    // More in one transaction adds little to throughput.
    private const int MostAtOnce = 1000;

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(50);

    /// <summary>Reads a file to its end.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="progress">Told of the rows entered and rejected, and of the share of the file read.</param>
    /// <param name="cancellation">Stops between two pieces.</param>
    /// <exception cref="IOException">The file cannot be read, or is gone.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    /// <exception cref="NpgsqlException">The database is away; what was entered stays, and reading may go on later.</exception>
    public async Task<FileResult> RunAsync(string path, string name, Action<long, long, double>? progress, CancellationToken cancellation)
    {
        var hash = await ContentHash.ComputeAsync(path, cancellation);
        var (file, _) = await register.EnterAsync(Kind, name, hash, new FileInfo(path).Length, null, cancellation);
        await using var claim = IsOver(file) ? null : await register.TryClaimAsync(file.FileId, cancellation);
        // What was known of the file may be out of date by now.
        file = (await register.FindAsync(file.FileId, cancellation))!;
        if (IsOver(file))
            return new(file.State == FileState.Done ? FileEnd.Known : FileEnd.Failed, file.FileId, file.Counts.Added, file.Counts.Rejected, file.Reason);
        if (claim is null)
            return new(FileEnd.Elsewhere, file.FileId, file.Counts.Added, file.Counts.Rejected);
        var start = (await register.StartAsync(file.FileId, 1, cancellation))[0];
        AlertFileReader? reader = null;
        try
        {
            reader = AlertFileReader.Open(path, start.Next);
            return await EnterAsync(reader, file.FileId, start, progress, cancellation);
        }
        catch (InvalidDataException exception)
        {
            await register.FinishAsync(file.FileId, reader is null ? FileState.Refused : FileState.Stopped, exception.Message, cancellation);
            file = (await register.FindAsync(file.FileId, cancellation))!;
            return new(FileEnd.Failed, file.FileId, file.Counts.Added, file.Counts.Rejected, exception.Message);
        }
        finally
        {
            reader?.Dispose();
        }
    }

    private static bool IsOver(RegisteredFile file) => file.State is FileState.Done or FileState.Stopped or FileState.Refused;

    private async Task<FileResult> EnterAsync(
        AlertFileReader reader, Guid file, LaneProgress start, Action<long, long, double>? progress, CancellationToken cancellation)
    {
        var window = new RowWindow(options.RowsAhead, options.RowsUndelivered, time);
        var (piece, from) = (new List<AlertRow>(), start);
        while (true)
        {
            var room = Math.Min(window.Room(await AlertFileRows.OpenAsync(database, file, cancellation)), MostAtOnce);
            if (room == 0)
            {
                await Task.Delay(_look, time, cancellation);
                continue;
            }

            piece.Clear();
            var atEnd = !ReadPiece(reader, piece, room);
            var alerts = piece.Count(row => row.Alert is not null);
            var to = new LaneProgress(from.Lane, reader.Next, from.Counts + new FileCounts(piece.Count, piece.Count - alerts, alerts, 0));
            if (!await AlertFileRows.EnterAsync(database, file, from, to, piece, cancellation))
                return new(FileEnd.Elsewhere, file, from.Counts.Added, from.Counts.Rejected);
            from = to;
            window.Entered(alerts);
            if (alerts > 0)
                entered();
            progress?.Invoke(to.Counts.Added, to.Counts.Rejected, reader.Share);
            if (!atEnd)
                continue;
            await register.FinishAsync(file, FileState.Done, null, cancellation);
            return new(FileEnd.Entered, file, to.Counts.Added, to.Counts.Rejected);
        }
    }

    // False: the file ends here.
    private static bool ReadPiece(AlertFileReader reader, List<AlertRow> piece, int most)
    {
        try
        {
            while (piece.Count < most)
            {
                if (!reader.Read(out var row))
                    return false;
                piece.Add(row);
            }
        }
        // The rows before the damage are entered; the next piece begins with it.
        catch (InvalidDataException) when (piece.Count > 0)
        {
        }

        return true;
    }
}
