using System.Threading.Channels;
using Npgsql;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>
/// The rows of one part of the customers, in the order of the file. While one batch is done in the database the next is collected; it waits
/// for the one before it, so that rows of one customer are never done out of order.
/// </summary>
internal sealed class IngestLane(NpgsqlDataSource database, FileRun run, LaneProgress start, Action<LaneProgress> committed)
{
    // So much of a batch's rows may wait to be sent: the reader must not outrun the database.
    private const int QueuedBuffers = 8;

    // A file of nothing but rejects must not fill the memory with them, nor one of long rows with those: two batches of each lane are there.
    private const int MostRejects = 5000;
    private const int MostBytes = 4 * 1024 * 1024;

    private readonly Channel<Item> _items = Channel.CreateBounded<Item>(new BoundedChannelOptions(QueuedBuffers) { SingleReader = true, SingleWriter = true });
    private readonly CopyRows _rows = new(run.File, run.Buffers);
    private List<RejectedRow> _rejected = [];
    private long _rowsInBatch;
    private long _bytesInBatch;

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
    public bool IsBatch(long rows) => _rowsInBatch >= rows || _rejected.Count >= MostRejects || _bytesInBatch >= MostBytes;

    /// <summary>Hands on what was taken.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_rows.IsEmpty)
            return ValueTask.CompletedTask;
        var rows = _rows.Take();
        _bytesInBatch += rows.Count;
        return _items.Writer.WriteAsync(new Item(rows, null), cancellationToken);
    }

    /// <summary>Ends the batch.</summary>
    /// <param name="next">Where the reader is: all rows of the lane before have been taken.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask EndBatchAsync(RecordPosition next, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await _items.Writer.WriteAsync(new Item(default, new BatchEnd(next, _rowsInBatch, _rejected)), cancellationToken);
        (_rejected, _rowsInBatch, _bytesInBatch) = ([], 0, 0);
    }

    /// <summary>Nothing follows.</summary>
    public void Complete() => _items.Writer.TryComplete();

    /// <summary>Does the batches until the last is committed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var last = Task.FromResult(start);
        BatchRows? open = null;
        try
        {
            while (await _items.Reader.WaitToReadAsync(cancellationToken))
            {
                open = new BatchRows(run.Buffers);
                if (await CollectAsync(open, last, cancellationToken) is not { } end)
                    break;
                var progress = await last;
                var rows = open;
                (last, open) = (Task.Run(() => CommitAsync(rows, progress, end, cancellationToken), CancellationToken.None), null);
            }
        }
        finally
        {
            open?.Dispose();
            await last;
        }
    }

    // Null: the file ended with the batch before. When that one fails, collecting this one is of no use any more.
    private async Task<BatchEnd?> CollectAsync(BatchRows batch, Task before, CancellationToken cancellationToken)
    {
        await foreach (var item in _items.Reader.ReadAllAsync(cancellationToken))
        {
            if (before.IsFaulted)
                await before;
            if (item.End is { } end)
                return end;
            batch.Add(item.Rows);
        }
        return null;
    }

    private async Task<LaneProgress> CommitAsync(BatchRows rows, LaneProgress from, BatchEnd end, CancellationToken cancellationToken)
    {
        using (rows)
        {
            var progress = await new LaneBatch(database, run, rows).CommitAsync(from, (end.Next, end.Rows), end.Rejected, cancellationToken);
            committed(progress);
            return progress;
        }
    }

    private sealed record BatchEnd(RecordPosition Next, long Rows, IReadOnlyList<RejectedRow> Rejected);

    private readonly record struct Item(ArraySegment<byte> Rows, BatchEnd? End);
}
