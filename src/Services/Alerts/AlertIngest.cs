using Npgsql;
using Sagas.FileIntake;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;

namespace Sagas.Services.Alerts;

/// <summary>
/// Enqueues the rows of a file as alerts, no more at a time than are delivered soon: neither memory nor the call log fills,
/// and files that arrive together take turns.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="store">The files.</param>
/// <param name="options">The options.</param>
/// <param name="timeProvider">The clock.</param>
/// <param name="enqueued">Called when alerts were enqueued; null: not reported.</param>
public sealed class AlertIngest(
    NpgsqlDataSource database,
    FileStore store,
    AlertsOptions options,
    TimeProvider timeProvider,
    Action? enqueued
) : IRowHandler
{
    /// <summary>The kind of these files.</summary>
    public const string FileKind = "alerts";

    // Larger transactions add little throughput.
    private const int MaxBatchRows = 1000;

    // Rows that are read before the first is sent: a file of something else has no alert sent.
    private const int RowsReadAhead = 1000;

    private static readonly TimeSpan _windowFullDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether a file begins with the header of a file of alerts.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The compressed file is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static bool HasHeader(string path) => AlertFileReader.HasHeader(path);

    /// <inheritdoc/>
    public string Kind => FileKind;

    /// <inheritdoc/>
    public FileIntakeOptions Options => options;

    /// <summary>Files that are read in parallel take turns with each batch; the others wait in the order of their
    /// arrival.</summary>
    public int MaxConcurrentFiles => 64;

    /// <inheritdoc/>
    public async Task<FileOutcome> ProcessAsync(
        IncomingFile file,
        string path,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(file);
        var start = (await store.StartAsync(file.FileId, partitions: 1, cancellationToken))[0];
        using var reader = AlertFileReader.Open(path, file.Length, start.Next, out var problem);
        if (reader is null)
            return FileOutcome.Invalid(problem!);
        if (start.Counts.Rows == 0 && ReadAhead(file, path) is { } rejects)
            return FileOutcome.Failed(rejects);
        var versions = new AlertFileVersions(database, store, timeProvider);
        var state = await versions.StartAsync(
            file.FileId,
            () => AlertFileReader.Open(path, file.Length, RecordPosition.Start, out _)!,
            isStarted: start.Counts.Rows > 0,
            cancellationToken
        );
        var rows = new AlertRows(reader, state?.Chain, state?.SentBefore ?? 0);
        return await EnqueueAsync(rows, file.FileId, start, progress, cancellationToken) is { } reason
            ? FileOutcome.Failed(reason)
            : FileOutcome.Completed;
    }

    private string? ReadAhead(IncomingFile file, string path)
    {
        using var reader = AlertFileReader.Open(path, file.Length, RecordPosition.Start, out _)!;
        var (rows, rejected) = (0, 0);
        for (; rows < RowsReadAhead && reader.TryRead(out var row); rows++)
            rejected += row.Rejected is null ? 0 : 1;
        return options.ProblemOfRejects(rows, rejected);
    }

    // Returns why the file was not read to its end; null when it was.
    private async Task<string?> EnqueueAsync(
        AlertRows rows,
        Guid file,
        PartitionProgress from,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var window = new RowWindow(options.MaxRowsAhead, options.MaxRowsUndelivered, timeProvider);
        for (var isMore = true; isMore; )
        {
            var room = rows.LeftSentBefore;
            if (room == 0)
                room = window.Room(await AlertFileRows.OpenAsync(database, file, cancellationToken));
            if (room == 0)
            {
                await Task.Delay(_windowFullDelay, timeProvider, cancellationToken);
                continue;
            }

            isMore = rows.ReadBatch((int)Math.Min(room, MaxBatchRows));
            var batch = rows.Batch;
            var alerts = batch.Count(row => row.IsToSend);
            var counts = from.Counts + new FileCounts(batch.Count, batch.Count(row => row.Rejected is not null), alerts, 0);
            var to = new PartitionProgress(from.Partition, rows.Next, counts);
            await AlertFileRows.EnterAsync(database, file, from, to, batch, rows.Chain, cancellationToken);
            from = to;
            window.Entered(alerts);
            if (alerts > 0)
                enqueued?.Invoke();
            progress?.Invoke(new FileProgress(to.Counts, rows.Fraction));
            // The first ones were checked as a whole.
            if (counts.Rows > RowsReadAhead && options.ProblemOfRejects(counts.Rows, counts.Rejected) is { } problem)
                return problem;
        }

        return null;
    }
}
