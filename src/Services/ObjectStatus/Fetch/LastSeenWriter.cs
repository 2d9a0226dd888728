using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Sagas.Contracts;
using Sagas.Persistence;

namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>Writes sightings, many in one transaction with the messages that tell of them. Whoever hands one in knows when it is
/// committed; as long as that takes, it is tried.</summary>
internal sealed partial class LastSeenWriter : IAsyncDisposable
{
    private const int MostAtOnce = 1000;

    // An answer that comes late must not bring back a row that it would be removed for, nor move one back, nor may a clock that
    // is ahead keep one.
    private const string Write = """
        INSERT INTO object_status AS o (object_id, last_seen)
        SELECT object_id, least(seen_at, clock_timestamp()) FROM unnest($1, $2) AS s (object_id, seen_at) WHERE seen_at > now() - $3
        ON CONFLICT (object_id) DO UPDATE SET last_seen = EXCLUDED.last_seen WHERE o.last_seen < EXCLUDED.last_seen
        """;

    // The statement costs little more for a hundred rows than for one.
    private static readonly TimeSpan _gathering = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);

    private readonly Channel<Sighting> _sightings = Channel.CreateUnbounded<Sighting>();
    private readonly CancellationTokenSource _abandon = new();
    private readonly NpgsqlDataSource _database;
    private readonly OutboxBatches _outbox;
    private readonly TimeSpan _expiry;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _writing;

    public LastSeenWriter(
        NpgsqlDataSource database, OutboxBatches outbox, IOptions<ObjectStatusOptions> options, TimeProvider time, ILogger<LastSeenWriter> logger)
    {
        (_database, _outbox, _expiry, _time, _logger) = (database, outbox, options.Value.Expiry, time, logger);
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>Writes a sighting.</summary>
    /// <param name="id">The object.</param>
    /// <param name="seenAt">When it was seen.</param>
    /// <returns>Completes when it is committed, and with it the message that tells of it.</returns>
    public Task WriteAsync(string id, DateTimeOffset seenAt)
    {
        var sighting = new Sighting(new ObjectSeen(id, seenAt));
        return _sightings.Writer.TryWrite(sighting) ? sighting.Committed.Task : throw new OperationCanceledException("The process stops.");
    }

    /// <summary>Writes what was handed in, unless the database is away.</summary>
    public async ValueTask DisposeAsync()
    {
        _sightings.Writer.TryComplete();
        _abandon.CancelAfter(_longestPause);
        await _writing;
        _abandon.Dispose();
    }

    private async Task WriteAllAsync()
    {
        var batch = new List<Sighting>(MostAtOnce);
        while (await _sightings.Reader.WaitToReadAsync())
        {
            if (_sightings.Reader.Count < MostAtOnce)
                await Task.Delay(_gathering, _time);
            while (batch.Count < MostAtOnce && _sightings.Reader.TryRead(out var sighting))
                batch.Add(sighting);
            await WriteAsync(batch);
            batch.Clear();
        }
    }

    private async Task WriteAsync(List<Sighting> batch)
    {
        var pause = _gathering;
        OutboxBatch? messages = null;
        while (true)
        {
            try
            {
                // Made once: should a commit have happened whose answer got lost, the messages go out twice under the same ids.
                messages ??= await _outbox.CreateAsync([.. batch.Select(sighting => sighting.Seen)], _abandon.Token);
                await CommitAsync(batch, messages);
                messages.Committed();
                batch.ForEach(sighting => sighting.Committed.SetResult());
                return;
            }
            catch (Exception) when (_abandon.IsCancellationRequested)
            {
                batch.ForEach(sighting => sighting.Committed.SetCanceled(_abandon.Token));
                return;
            }
            // Whatever it is: the messages wait until it is over.
            catch (Exception exception)
            {
                LogNotWritten(_logger, batch.Count, exception.GetBaseException().Message);
                pause = pause * 2 < _longestPause ? pause * 2 : _longestPause;
                await Task.Delay(pause, _time, _abandon.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task CommitAsync(List<Sighting> batch, OutboxBatch messages)
    {
        // In one order in all processes, lest two of them wait for each other's rows.
        var newest = batch.GroupBy(sighting => sighting.Seen.ObjectId, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (Id: group.Key, SeenAt: group.Max(sighting => sighting.Seen.SeenAt))).ToArray();
        await using var connection = await _database.OpenConnectionAsync(_abandon.Token);
        // Without a transaction of its own: the statements of a batch are one.
        await using var statements = new NpgsqlBatch(connection);
        statements.BatchCommands.Add(new NpgsqlBatchCommand(Write)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. newest.Select(row => row.Id)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                new NpgsqlParameter<DateTimeOffset[]>
                {
                    TypedValue = [.. newest.Select(row => row.SeenAt)],
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
                },
                new NpgsqlParameter<TimeSpan> { TypedValue = _expiry },
            },
        });
        statements.BatchCommands.Add(messages.Insert());
        await statements.ExecuteNonQueryAsync(_abandon.Token);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} sightings could not be written yet: {Reason}")]
    private static partial void LogNotWritten(ILogger logger, int count, string reason);

    private sealed record Sighting(ObjectSeen Seen)
    {
        public TaskCompletionSource Committed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
