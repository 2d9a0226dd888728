using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sagas.Services.ObjectStatus;

/// <summary>Removes objects that have not been seen for a while: in small batches, in one process at a time.</summary>
internal sealed partial class ObjectSweep(
    NpgsqlDataSource database, IOptions<ObjectStatusOptions> options, ObjectStatusMetrics metrics, TimeProvider time, ILogger<ObjectSweep> logger)
    : BackgroundService
{
    internal const string AdvisoryLock = "7230007";

    private const int BatchSize = 500;

    // A row that is being updated is not waited for: it is being seen. A row that was taken is locked for the few milliseconds
    // of its batch. The newest row removed is where the next batch begins, so that it does not wade through what was removed.
    // The batch's size is part of the text, so that it is planned for so many rows and no more.
    private static readonly string _remove = $"""
        WITH removed AS (
            DELETE FROM object_status WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM object_status
                WHERE last_seen < now() - $1 AND last_seen >= $2 AND (SELECT pg_try_advisory_xact_lock({AdvisoryLock}))
                ORDER BY last_seen LIMIT {BatchSize} FOR UPDATE SKIP LOCKED))
            RETURNING last_seen)
        SELECT count(*)::int, max(last_seen) FROM removed
        """;

    /// <summary>Removes what has expired.</summary>
    /// <returns>The number of objects removed; 0 when another process is at it.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var total = 0;
        var from = DateTimeOffset.UnixEpoch;
        for (var removed = BatchSize; removed == BatchSize; total += removed)
        {
            await using var command = database.CreateCommand(_remove);
            command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.Expiry });
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            removed = reader.GetInt32(0);
            metrics.Expired(removed);
            if (removed > 0)
                from = reader.GetFieldValue<DateTimeOffset>(1);
        }

        return total;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogNotSwept(exception.GetBaseException().Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Expired objects were not removed this time: {Reason}")]
    private partial void LogNotSwept(string reason);
}
