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
internal sealed class AlertFileIntake(NpgsqlDataSource database, AlertsOptions options, TimeProvider time, Action entered)
{
    // More in one transaction adds little to throughput.
    private const int MostAtOnce = 1000;

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(50);

    /// <summary>This process among those that read files.</summary>
    public Guid Reader { get; } = Guid.NewGuid();

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
        var claim = await AlertFileRows.ClaimAsync(database, hash, name, new FileInfo(path).Length, Reader, cancellation);
        if (claim.State != "reading")
        {
            var end = claim.State == "entered" ? FileEnd.Known : FileEnd.Failed;
            return new(end, claim.Id, claim.Rows, claim.Rejected, claim.Reason);
        }

        if (!claim.IsMine)
            return new(FileEnd.Elsewhere, claim.Id, claim.Rows, claim.Rejected);
        try
        {
            using var reader = AlertFileReader.Open(path, claim.From);
            return await EnterAsync(reader, claim, progress, cancellation);
        }
        catch (InvalidDataException exception)
        {
            await AlertFileRows.FailAsync(database, claim.Id, Reader, exception.Message, cancellation);
            return new(FileEnd.Failed, claim.Id, claim.Rows, claim.Rejected, exception.Message);
        }
        catch (OperationCanceledException)
        {
            await AlertFileRows.LeaveAsync(database, claim.Id, Reader, CancellationToken.None);
            throw;
        }
    }

    private async Task<FileResult> EnterAsync(
        AlertFileReader reader, AlertFileClaim claim, Action<long, long, double>? progress, CancellationToken cancellation)
    {
        var window = new RowWindow(options.RowsAhead, options.RowsUndelivered, time);
        var (rows, rejected) = (claim.Rows, claim.Rejected);
        var (piece, from) = (new List<AlertRow>(), claim.From);
        while (true)
        {
            if (await AlertFileRows.RenewAsync(database, claim.Id, Reader, cancellation) is not { } open)
                return new(FileEnd.Elsewhere, claim.Id, rows, rejected);
            var room = Math.Min(window.Room(open), MostAtOnce);
            if (room == 0)
            {
                await Task.Delay(_look, time, cancellation);
                continue;
            }

            piece.Clear();
            var atEnd = !ReadPiece(reader, piece, room);
            if (!await AlertFileRows.EnterAsync(database, claim.Id, Reader, piece, from, reader.Next, atEnd, cancellation))
                return new(FileEnd.Elsewhere, claim.Id, rows, rejected);
            from = reader.Next;
            var alerts = piece.Count(row => row.Alert is not null);
            (rows, rejected) = (rows + alerts, rejected + piece.Count - alerts);
            window.Entered(alerts);
            if (alerts > 0)
                entered();
            progress?.Invoke(rows, rejected, reader.Share);
            if (atEnd)
                return new(FileEnd.Entered, claim.Id, rows, rejected);
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
