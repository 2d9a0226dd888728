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
    private readonly BatchingWriter<AlarmChange> _writer;

    public AlarmWriter(NpgsqlDataSource dataSource, TimeProvider timeProvider)
    {
        _dataSource = dataSource;
        _writer = new BatchingWriter<AlarmChange>(_batching, WriteBatchAsync, timeProvider);
    }

    /// <summary>Writes a change.</summary>
    /// <returns>Completes when it is committed; fails as its batch failed.</returns>
    public Task WriteAsync(AlarmChange change) => _writer.WriteAsync(change);

    // No token: the batch belongs to many messages, and Npgsql ends a statement that takes too long.
    private async Task WriteBatchAsync(IReadOnlyList<AlarmChange> changes)
    {
        await using var connection = await _dataSource.OpenConnectionAsync(CancellationToken.None);
        await AlarmRows.WriteAsync(connection, changes, CancellationToken.None);
    }
}
