using Npgsql;

namespace Sagas.Services.Alarms;

/// <summary>
/// Writes changes in batches of one statement. While a batch is written the next one gathers: batches are small when there is
/// little to do and grow under load, without a delay that would wait for them to fill.
/// </summary>
internal sealed class AlarmWriter(NpgsqlDataSource dataSource)
{
    // While one batch waits for the server's disk, the other is sent and its changes are acknowledged.
    private const int Writers = 2;

    // A statement of this size takes some ten milliseconds, which is how long it may hold an alarm that a digest wants.
    private const int LargestBatch = 1000;

    private readonly Lock _lock = new();
    private readonly Queue<Pending> _pending = new();
    private int _writing;

    /// <summary>Writes a change.</summary>
    /// <returns>Completes when it is committed; fails as its batch failed.</returns>
    public Task WriteAsync(AlarmChange change)
    {
        var pending = new Pending(change);
        lock (_lock)
        {
            _pending.Enqueue(pending);
            if (_writing == Writers)
                return pending.Task;
            _writing++;
        }

        _ = Task.Run(WriteAllAsync);
        return pending.Task;
    }

    private async Task WriteAllAsync()
    {
        while (TakeBatch() is { Length: > 0 } batch)
            await WriteAsync(batch);
    }

    private Pending[] TakeBatch()
    {
        lock (_lock)
        {
            var batch = new Pending[Math.Min(_pending.Count, LargestBatch)];
            for (var index = 0; index < batch.Length; index++)
                batch[index] = _pending.Dequeue();
            if (batch.Length == 0)
                _writing--;
            return batch;
        }
    }

    private async Task WriteAsync(Pending[] batch)
    {
        try
        {
            // No token: the batch belongs to many messages, and Npgsql ends a statement that takes too long.
            await using var connection = await dataSource.OpenConnectionAsync(CancellationToken.None);
            await AlarmRows.WriteAsync(connection, System.Array.ConvertAll(batch, pending => pending.Change), CancellationToken.None);
        }
        // What the server says of the data may be true of one change only: the others must not fail with it.
        catch (PostgresException exception) when (batch.Length > 1 && IsAboutData(exception))
        {
            foreach (var pending in batch)
                await WriteAsync([pending]);
            return;
        }
#pragma warning disable CA1031 // Whatever it is, those who wait for the batch decide what it means.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            foreach (var pending in batch)
                pending.SetException(exception);
            return;
        }

        foreach (var pending in batch)
            pending.SetResult();
    }

    // 22 data exception, 23 constraint violation, 54 limit exceeded.
    private static bool IsAboutData(PostgresException exception) => exception.SqlState[..2] is "22" or "23" or "54";

    private sealed class Pending(AlarmChange change) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public AlarmChange Change => change;
    }
}
