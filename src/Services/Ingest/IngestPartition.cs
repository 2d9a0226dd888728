using System.Threading.Channels;
using Npgsql;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;

namespace Sagas.Services.Ingest;

/// <summary>
/// The rows of one partition of the customers, in the order of the file. While one batch is written the next is collected; it
/// is written after the one before it, so that the rows of a customer stay in order.
/// </summary>
internal sealed class IngestPartition(
    NpgsqlDataSource database,
    IngestContext context,
    PartitionProgress start,
    Action<PartitionProgress> committed
)
{
    // Limits how far the reader gets ahead of the database.
    private const int MaxQueuedBuffers = 8;

    // Bounds the memory of a file of rejects or of long rows: each partition has two batches in memory.
    private const int MaxBatchRejects = 5000;
    private const int MaxBatchBytes = 4 * 1024 * 1024;

    private readonly Channel<Item> _items = Channel.CreateBounded<Item>(
        new BoundedChannelOptions(MaxQueuedBuffers) { SingleReader = true, SingleWriter = true }
    );

    private readonly CopyRows _rows = new(context.File, context.Buffers);
    private List<RejectedRow> _rejected = [];
    private long _rowsInBatch;
    private long _bytesInBatch;

    /// <summary>The partition's position at the start: its rows before are processed.</summary>
    public RecordPosition Start => start.Next;

    /// <summary>Whether <see cref="FlushAsync"/> is due.</summary>
    public bool IsFull => _rows.IsFull;

    /// <summary>Adds a customer; called by the reader of the file.</summary>
    public void Add(in CustomerRow row, ReadOnlySpan<byte> correlationId, long line)
    {
        _rows.Add(row, correlationId, line);
        _rowsInBatch++;
    }

    /// <summary>Adds a rejected row; called by the reader of the file.</summary>
    public void Add(RejectedRow row)
    {
        _rejected.Add(row);
        _rowsInBatch++;
    }

    /// <summary>Whether the rows since the end of the last batch are enough for a batch.</summary>
    public bool IsBatch(long rows) =>
        _rowsInBatch >= rows || _rejected.Count >= MaxBatchRejects || _bytesInBatch >= MaxBatchBytes;

    /// <summary>Queues the rows that were added.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_rows.IsEmpty)
            return ValueTask.CompletedTask;
        var rows = _rows.Take();
        _bytesInBatch += rows.Count;
        return _items.Writer.WriteAsync(new Item(rows, null), cancellationToken);
    }

    /// <summary>Ends the batch.</summary>
    /// <param name="next">The position of the reader: all rows of the partition before it were added.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async ValueTask EndBatchAsync(RecordPosition next, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await _items.Writer.WriteAsync(new Item(default, new BatchEnd(next, _rowsInBatch, _rejected)), cancellationToken);
        (_rejected, _rowsInBatch, _bytesInBatch) = ([], 0, 0);
    }

    /// <summary>Ends the partition.</summary>
    public void Complete() => _items.Writer.TryComplete();

    /// <summary>Writes the batches until the last is committed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var last = Task.FromResult(start);
        BatchRows? open = null;
        try
        {
            while (await _items.Reader.WaitToReadAsync(cancellationToken))
            {
                open = new BatchRows(context.Buffers);
                if (await CollectAsync(open, last, cancellationToken) is not { } end)
                    break;
                var progress = await last;
                var rows = open;
                last = Task.Run(() => CommitAsync(rows, progress, end, cancellationToken), CancellationToken.None);
                open = null;
            }
        }
        finally
        {
            open?.Dispose();
            await last;
        }
    }

    // Null when the file ended with the batch before.
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

    private async Task<PartitionProgress> CommitAsync(
        BatchRows rows,
        PartitionProgress from,
        BatchEnd end,
        CancellationToken cancellationToken
    )
    {
        using (rows)
        {
            var batch = new PartitionBatch(database, context, rows);
            var progress = await batch.CommitAsync(from, (end.Next, end.Rows), end.Rejected, cancellationToken);
            committed(progress);
            return progress;
        }
    }

    private sealed record BatchEnd(RecordPosition Next, long Rows, IReadOnlyList<RejectedRow> Rejected);

    private readonly record struct Item(ArraySegment<byte> Rows, BatchEnd? End);
}
