using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.Services.Alarms;

/// <summary>
/// Removes cleared alarms and recorded digests past their retention, in small batches, in one process at a time. A late change is
/// compared with the cleared alarm, so retention counts from the alarm's receipt and not from its own time.
/// </summary>
internal sealed class AlarmHousekeeping(
    NpgsqlDataSource dataSource,
    IOptions<AlarmsOptions> options,
    TimeProvider timeProvider,
    ILogger<AlarmHousekeeping> logger
) : PeriodicCleanup("cleared alarms and digests", _interval, timeProvider, logger)
{
    internal const string AdvisoryLock = "7230006";

    private const int BatchSize = 5000;

    // A row that changes in between has another ctid, and stays.
    private const string RemoveAlarms = $"""
        DELETE FROM alarm WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM alarm WHERE status = 'CLEARED' AND received_at < now() - $1
              AND (SELECT pg_try_advisory_xact_lock({AdvisoryLock})) LIMIT $2 FOR UPDATE SKIP LOCKED))
        """;

    private const string RemoveDigests = $"""
        DELETE FROM alarm_digest WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM alarm_digest
            WHERE sent_at < now() - $1 AND (SELECT pg_try_advisory_xact_lock({AdvisoryLock})) LIMIT $2))
        """;

    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);

    /// <inheritdoc />
    public override async Task<int> CleanUpAsync(CancellationToken cancellationToken) =>
        await RemoveAsync(RemoveAlarms, options.Value.ClearedRetention, cancellationToken)
        + await RemoveAsync(RemoveDigests, options.Value.DigestRetention, cancellationToken);

    private Task<int> RemoveAsync(string sql, TimeSpan retention, CancellationToken cancellationToken) =>
        RemoveInBatchesAsync(
            BatchSize,
            async () =>
            {
                await using var command = dataSource.CreateCommand(sql);
                command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = retention });
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = BatchSize });
                return await command.ExecuteNonQueryAsync(cancellationToken);
            }
        );
}
