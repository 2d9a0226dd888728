using Npgsql;
using Sagas.Persistence;

namespace Sagas.Services.Alarms;

/// <summary>Writes changes in batches of one statement.</summary>
internal sealed class AlarmWriter
{
    // While one batch waits for the server's disk, the other is sent and its changes are acknowledged. A statement of this size
    // takes some ten milliseconds, which is how long it may hold an alarm that a digest wants.
    private static readonly BatchingOptions _batching = new(MaxBatchSize: 1000, MaxConcurrentBatches: 2);

    private readonly NpgsqlDataSource _dataSource;
    private readonly BatchingWriter<Pending> _writer;

    public AlarmWriter(NpgsqlDataSource dataSource, TimeProvider timeProvider)
    {
        _dataSource = dataSource;
        _writer = new BatchingWriter<Pending>(_batching, WriteBatchAsync, timeProvider);
    }

    /// <summary>Writes a change.</summary>
    /// <returns>When it is committed: false where the alarm is known to have another status at the same time. Fails as the
    /// batch failed.</returns>
    public async Task<bool> WriteAsync(AlarmChange change)
    {
        var pending = new Pending(change);
        await _writer.WriteAsync(pending);
        return !pending.IsConflict;
    }

    // No token: the batch belongs to many messages, and Npgsql ends a statement that takes too long.
    private async Task WriteBatchAsync(IReadOnlyList<Pending> batch)
    {
        await using var connection = await _dataSource.OpenConnectionAsync(CancellationToken.None);
        var conflicts = await AlarmRows.WriteAsync(
            connection,
            [.. batch.Select(pending => pending.Change)],
            CancellationToken.None
        );
        if (conflicts.Count == 0)
            return;
        foreach (var pending in batch)
            pending.IsConflict = conflicts.Contains(pending.Change);
    }

    private sealed class Pending(AlarmChange change)
    {
        public AlarmChange Change => change;

        public bool IsConflict { get; set; }
    }
}
