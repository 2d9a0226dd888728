using System.Buffers;
using System.Threading.Channels;
using Npgsql;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>
/// The rows of one part of the customers, in the order of the file. While one batch is done in the database the next is staged, on another
/// connection; it waits for the one before it, so that rows of one customer are never done out of order.
/// </summary>
internal sealed class IngestLane(NpgsqlDataSource database, FileRun run, LaneProgress start, Action<LaneProgress> committed)
{
    // So much of a batch's rows may wait to be sent: the reader must not outrun the database.
    private const int QueuedBuffers = 8;

    // A file of nothing but rejects must not fill the memory with them.
    private const int MostRejects = 5000;

    private readonly Channel<Item> _items = Channel.CreateBounded<Item>(new BoundedChannelOptions(QueuedBuffers) { SingleReader = true, SingleWriter = true });
    private readonly CopyRows _rows = new();
    private List<RejectedRow> _rejected = [];
    private long _rowsInBatch;

    /// <summary>How far the lane had come when it was started: rows before this place are done.</summary>
    public RecordPosition Start => start.Next;

    /// <summary>Whether <see cref="FlushAsync"/> is due.</summary>
    public bool IsFull => _rows.IsFull;

    /// <summary>Takes a row; for the reader of the file.</summary>
    public void Add(in CustomerRow row, ReadOnlySpan<byte> correlationId, long line)
    {
        _rows.Add(row, correlationId, line);
        _rowsInBatch++;
    }

    /// <summary>Takes a row that is none; for the reader of the file.</summary>
    public void Add(RejectedRow row)
    {
        _rejected.Add(row);
        _rowsInBatch++;
    }

    /// <summary>Whether the rows since the last batch's end are a batch.</summary>
    public bool IsBatch(long rows) => _rowsInBatch >= rows || _rejected.Count >= MostRejects;

    /// <summary>Hands on what was taken.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken) =>
        _rows.IsEmpty ? ValueTask.CompletedTask : _items.Writer.WriteAsync(new Item(_rows.Take(), null), cancellationToken);

    /// <summary>Ends the batch.</summary>
    /// <param name="next">Where the reader is: all rows of the lane before have been taken.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask EndBatchAsync(RecordPosition next, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await _items.Writer.WriteAsync(new Item(default, new BatchEnd(next, _rowsInBatch, _rejected)), cancellationToken);
        (_rejected, _rowsInBatch) = ([], 0);
    }

    /// <summary>Nothing follows.</summary>
    public void Complete() => _items.Writer.TryComplete();

    /// <summary>Does the batches until the last is committed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var last = Task.FromResult(start);
        LaneBatch? open = null;
        try
        {
            while (await _items.Reader.WaitToReadAsync(cancellationToken))
            {
                open = await LaneBatch.OpenAsync(database, run, cancellationToken);
                if (await StageAsync(open, last, cancellationToken) is not { } end)
                    break;
                var progress = await last;
                (last, open) = (CommitAsync(open, progress, end, cancellationToken), null);
            }
        }
        finally
        {
            if (open is not null)
                await open.DisposeAsync();
            await last;
        }
    }

    // Null: the file ended with the batch before. When that one fails, staging this one is of no use any more.
    private async Task<BatchEnd?> StageAsync(LaneBatch batch, Task before, CancellationToken cancellationToken)
    {
        await foreach (var item in _items.Reader.ReadAllAsync(cancellationToken))
        {
            if (before.IsFaulted)
                await before;
            if (item.End is { } end)
            {
                await batch.EndCopyAsync(cancellationToken);
                return end;
            }
            await batch.WriteAsync(item.Rows, cancellationToken);
            ArrayPool<byte>.Shared.Return(item.Rows.Array!);
        }
        return null;
    }

    private async Task<LaneProgress> CommitAsync(LaneBatch batch, LaneProgress from, BatchEnd end, CancellationToken cancellationToken)
    {
        await using (batch)
        {
            var progress = await batch.CommitAsync(from, (end.Next, end.Rows), end.Rejected, cancellationToken);
            committed(progress);
            return progress;
        }
    }

    private sealed record BatchEnd(RecordPosition Next, long Rows, IReadOnlyList<RejectedRow> Rejected);

    private readonly record struct Item(ArraySegment<byte> Rows, BatchEnd? End);
}
