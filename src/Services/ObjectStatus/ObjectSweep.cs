using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.Services.ObjectStatus;

/// <summary>Removes objects that have not been seen for a while: in small batches, in one process at a time.</summary>
internal sealed class ObjectSweep(
    NpgsqlDataSource database,
    IOptions<ObjectStatusOptions> options,
    ObjectStatusMetrics metrics,
    TimeProvider timeProvider,
    ILogger<ObjectSweep> logger
) : PeriodicCleanup("objects", options.Value.SweepInterval, timeProvider, logger)
{
    internal const string AdvisoryLock = "7230007";

    private const int BatchSize = 500;

    // SKIP LOCKED: a row that is being updated is being seen. The next batch starts at the newest row removed, so that it does
    // not read dead rows again. The batch size is part of the text, so that the planner knows it.
    private static readonly string _remove = $"""
        WITH removed AS (
            DELETE FROM object_status WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM object_status
                WHERE last_seen < now() - $1 AND last_seen >= $2 AND (SELECT pg_try_advisory_xact_lock({AdvisoryLock}))
                ORDER BY last_seen LIMIT {BatchSize} FOR UPDATE SKIP LOCKED))
            RETURNING last_seen)
        SELECT count(*)::int, max(last_seen) FROM removed
        """;

    /// <inheritdoc />
    public override Task<int> CleanUpAsync(CancellationToken cancellationToken)
    {
        var from = DateTimeOffset.UnixEpoch;
        return RemoveInBatchesAsync(
            BatchSize,
            async () =>
            {
                await using var command = database.CreateCommand(_remove);
                command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.ExpiryTimeout });
                command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from });
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                await reader.ReadAsync(cancellationToken);
                var removed = reader.GetInt32(0);
                metrics.Expired(removed);
                if (removed > 0)
                    from = reader.GetFieldValue<DateTimeOffset>(1);
                return removed;
            }
        );
    }
}
