using Npgsql;
using Sagas.FileIntake;
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
        using var reader = AlertFileReader.Open(path, start.Next, out var problem);
        if (reader is null)
            return FileOutcome.Invalid(problem!);
        await EnqueueAsync(reader, file.FileId, start, progress, cancellationToken);
        return FileOutcome.Completed;
    }

    private async Task EnqueueAsync(
        AlertFileReader reader,
        Guid file,
        PartitionProgress from,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var window = new RowWindow(options.MaxRowsAhead, options.MaxRowsUndelivered, timeProvider);
        var batch = new List<AlertRow>();
        for (var isMore = true; isMore; )
        {
            var room = Math.Min(window.Room(await AlertFileRows.OpenAsync(database, file, cancellationToken)), MaxBatchRows);
            if (room == 0)
            {
                await Task.Delay(_windowFullDelay, timeProvider, cancellationToken);
                continue;
            }

            batch.Clear();
            isMore = ReadBatch(reader, batch, room);
            var alerts = batch.Count(row => row.Alert is not null);
            var counts = from.Counts + new FileCounts(batch.Count, batch.Count - alerts, alerts, 0);
            var to = new PartitionProgress(from.Partition, reader.Next, counts);
            await AlertFileRows.EnterAsync(database, file, from, to, batch, cancellationToken);
            from = to;
            window.Entered(alerts);
            if (alerts > 0)
                enqueued?.Invoke();
            progress?.Invoke(new FileProgress(to.Counts, reader.Fraction));
        }
    }

    // False at the end of the file.
    private static bool ReadBatch(AlertFileReader reader, List<AlertRow> batch, int maxRows)
    {
        try
        {
            while (batch.Count < maxRows)
            {
                if (!reader.Read(out var row))
                    return false;
                batch.Add(row);
            }
        }
        // The rows before the damage are enqueued; reading the next batch throws again.
        catch (InvalidDataException) when (batch.Count > 0) { }

        return true;
    }
}
