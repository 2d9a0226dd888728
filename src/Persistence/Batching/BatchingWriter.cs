using System.Diagnostics;

namespace Sagas.Persistence;

/// <summary>
/// Collects items that are added one by one and writes them in batches. While one batch is written the next one gathers, so
/// that batches are small when there is little to do and grow under load.
/// </summary>
/// <typeparam name="TItem">What is written.</typeparam>
/// <param name="options">How much is written at a time.</param>
/// <param name="writeAsync">Writes a batch and commits it.</param>
/// <param name="timeProvider">The clock.</param>
public sealed class BatchingWriter<TItem>(
    BatchingOptions options,
    Func<IReadOnlyList<TItem>, Task> writeAsync,
    TimeProvider timeProvider
)
{
    private readonly Lock _lock = new();
    private readonly Queue<Pending> _pending = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writing;
    private bool _isComplete;

    /// <summary>Adds an item.</summary>
    /// <returns>Completes when its batch is committed; fails when the batch failed, with its exception.</returns>
    /// <exception cref="OperationCanceledException"><see cref="CompleteAsync"/> was called.</exception>
    public Task WriteAsync(TItem item)
    {
        var pending = new Pending(item);
        lock (_lock)
        {
            if (_isComplete)
                throw new OperationCanceledException("The writer is stopped.");
            _pending.Enqueue(pending);
            if (_writing == options.MaxConcurrentBatches)
                return pending.Task;
            _writing++;
        }

        // A batch has no part in what the caller does.
        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(WriteAllAsync);
        return pending.Task;
    }

    /// <summary>Accepts no more items, and waits until those added before are written or failed.</summary>
    public Task CompleteAsync()
    {
        lock (_lock)
        {
            _isComplete = true;
            if (_writing == 0)
                _drained.TrySetResult();
        }

        return _drained.Task;
    }

    private async Task WriteAllAsync()
    {
        var gathers = !options.GathersOnlyUnderLoad;
        while (true)
        {
            if (gathers && options.GatherDelay > TimeSpan.Zero && !IsFull())
                await Task.Delay(options.GatherDelay, timeProvider);
            var batch = TakeBatch();
            if (batch.Length == 0)
                return;
            await WriteBatchAsync(batch);
            gathers = !options.GathersOnlyUnderLoad || batch.Length > 1;
        }
    }

    private bool IsFull()
    {
        lock (_lock)
            return _isComplete || _pending.Count >= options.MaxBatchSize;
    }

    private Pending[] TakeBatch()
    {
        lock (_lock)
        {
            var batch = new Pending[Math.Min(_pending.Count, options.MaxBatchSize)];
            for (var index = 0; index < batch.Length; index++)
                batch[index] = _pending.Dequeue();
            if (batch.Length == 0 && --_writing == 0 && _isComplete)
                _drained.TrySetResult();
            return batch;
        }
    }

    private async Task WriteBatchAsync(Pending[] batch)
    {
        // It is traced with its first item.
        Activity.Current = batch[0].Activity;
        try
        {
            await writeAsync(Array.ConvertAll(batch, pending => pending.Item));
        }
        // One item may be the cause: the others must not fail with it.
        catch (Exception exception) when (batch.Length > 1 && IsAboutAnItem(exception))
        {
            foreach (var pending in batch)
                await WriteBatchAsync([pending]);
            return;
        }
        catch (OperationCanceledException exception)
        {
            foreach (var pending in batch)
                pending.SetCanceled(exception.CancellationToken);
            return;
        }
        // Any exception: the callers that wait for the batch handle it.
        catch (Exception exception)
        {
            foreach (var pending in batch)
                pending.SetException(exception);
            return;
        }

        foreach (var pending in batch)
            pending.SetResult();
    }

    private static bool IsAboutAnItem(Exception exception) =>
        DatabaseFaults.Classify(exception) is DatabaseFault.InvalidData or DatabaseFault.Duplicate;

    private sealed class Pending(TItem item) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public TItem Item => item;

        public Activity? Activity { get; } = Activity.Current;
    }
}
