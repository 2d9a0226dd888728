using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Sagas.Contracts;
using Sagas.OutboundCalls;
using Sagas.Persistence;

namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>
/// Writes sightings, many in one transaction with the messages that announce them, and retries until they are committed.
/// </summary>
internal sealed partial class LastSeenWriter : IAsyncDisposable
{
    // A late answer must not bring back an expired row or move a time back, and a clock that is ahead must not keep a row.
    private const string Write = """
        INSERT INTO object_status AS o (object_id, last_seen)
        SELECT object_id, least(seen_at, clock_timestamp())
        FROM unnest($1, $2) AS s (object_id, seen_at) WHERE seen_at > now() - $3
        ON CONFLICT (object_id) DO UPDATE SET last_seen = EXCLUDED.last_seen WHERE o.last_seen < EXCLUDED.last_seen
        """;

    // The statement costs little more for a hundred rows than for one.
    private static readonly BatchingOptions _batching = new(MaxBatchSize: 1000, GatherDelay: TimeSpan.FromMilliseconds(5));
    private static readonly TimeSpan _firstRetryDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _maxRetryDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _abandon = new();
    private readonly NpgsqlDataSource _database;
    private readonly OutboxBatches _outbox;
    private readonly TimeSpan _expiry;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly BatchingWriter<ObjectSeen> _writer;

    public LastSeenWriter(
        NpgsqlDataSource database,
        OutboxBatches outbox,
        IOptions<ObjectStatusOptions> options,
        TimeProvider timeProvider,
        ILogger<LastSeenWriter> logger
    )
    {
        _database = database;
        _outbox = outbox;
        _expiry = options.Value.ExpiryTimeout;
        _timeProvider = timeProvider;
        _logger = logger;
        _writer = new BatchingWriter<ObjectSeen>(_batching, WriteBatchAsync, timeProvider);
    }

    /// <summary>Writes a sighting.</summary>
    /// <param name="id">The object.</param>
    /// <param name="seenAt">When it was seen.</param>
    /// <returns>Completes when it is committed with the message that announces it.</returns>
    public Task WriteAsync(string id, DateTimeOffset seenAt) => _writer.WriteAsync(new ObjectSeen(id, seenAt));

    /// <summary>Writes the added sightings, unless the database is unavailable.</summary>
    public async ValueTask DisposeAsync()
    {
        _abandon.CancelAfter(_maxRetryDelay);
        await _writer.CompleteAsync();
        _abandon.Dispose();
    }

    private async Task WriteBatchAsync(IReadOnlyList<ObjectSeen> batch)
    {
        OutboxBatch? messages = null;
        for (var failures = 1; ; failures++)
        {
            try
            {
                // Created once: after a commit whose answer was lost, the messages are sent twice under the same ids.
                messages ??= await _outbox.CreateAsync(batch, _abandon.Token);
                await CommitAsync(batch, messages);
                messages.Committed();
                return;
            }
            catch (Exception exception) when (_abandon.IsCancellationRequested)
            {
                throw new OperationCanceledException("The process stops.", exception, _abandon.Token);
            }
            // Any exception: the consumed messages wait until the sightings are committed.
            catch (Exception exception)
            {
                LogWriteFailed(_logger, batch.Count, exception.GetBaseException().Message);
                await Task.Delay(Backoff.Exponential(_firstRetryDelay, _maxRetryDelay, failures), _timeProvider, _abandon.Token);
            }
        }
    }

    private async Task CommitAsync(IReadOnlyList<ObjectSeen> batch, OutboxBatch messages)
    {
        // In one order in all processes, which prevents deadlocks between them.
        var newest = batch
            .GroupBy(seen => seen.ObjectId, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (Id: group.Key, SeenAt: group.Max(seen => seen.SeenAt)))
            .ToArray();
        await using var connection = await _database.OpenConnectionAsync(_abandon.Token);
        // Without a transaction of its own: the statements of a batch are one.
        await using var statements = new NpgsqlBatch(connection);
        statements.BatchCommands.Add(
            new NpgsqlBatchCommand(Write)
            {
                Parameters =
                {
                    new NpgsqlParameter<string[]>
                    {
                        TypedValue = [.. newest.Select(row => row.Id)],
                        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
                    },
                    new NpgsqlParameter<DateTimeOffset[]>
                    {
                        TypedValue = [.. newest.Select(row => row.SeenAt)],
                        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
                    },
                    new NpgsqlParameter<TimeSpan> { TypedValue = _expiry },
                },
            }
        );
        statements.BatchCommands.Add(messages.Insert());
        await statements.ExecuteNonQueryAsync(_abandon.Token);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Writing {Count} sightings failed; retrying: {Reason}")]
    private static partial void LogWriteFailed(ILogger logger, int count, string reason);
}
