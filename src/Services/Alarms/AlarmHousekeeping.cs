using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sagas.Services.Alarms;

/// <summary>
/// Removes cleared alarms and recorded digests that are old enough, in small batches, in one process at a time. A cleared alarm
/// is what an older change, arriving late, is measured by; so its age counts from its receipt, whatever its own time says.
/// </summary>
internal sealed partial class AlarmHousekeeping(
    NpgsqlDataSource dataSource, IOptions<AlarmsOptions> options, TimeProvider time, ILogger<AlarmHousekeeping> logger) : BackgroundService
{
    internal const string AdvisoryLock = "7230006";

    private const int BatchSize = 5000;

    // A row that changes meanwhile is at another place then, and stays.
    private const string RemoveAlarms = $"""
        DELETE FROM alarm WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM alarm WHERE status = 'CLEARED' AND received_at < now() - $1
              AND (SELECT pg_try_advisory_xact_lock({AdvisoryLock})) LIMIT $2 FOR UPDATE SKIP LOCKED))
        """;

    private const string RemoveDigests = $"""
        DELETE FROM alarm_digest WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM alarm_digest WHERE sent_at < now() - $1 AND (SELECT pg_try_advisory_xact_lock({AdvisoryLock})) LIMIT $2))
        """;

    private static readonly TimeSpan _every = TimeSpan.FromMinutes(1);

    /// <summary>Removes what is old enough.</summary>
    /// <returns>How many alarms and digests were removed.</returns>
    public async Task<(int Alarms, int Digests)> CleanUpAsync(CancellationToken cancellationToken) => (
        await RemoveAsync(RemoveAlarms, options.Value.KeepCleared, cancellationToken),
        await RemoveAsync(RemoveDigests, options.Value.KeepDigests, cancellationToken));

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var (alarms, digests) = await CleanUpAsync(stoppingToken);
                if (alarms + digests > 0)
                    LogRemoved(alarms, digests);
            }
#pragma warning disable CA1031 // The database may be away for any reason; the next turn is a minute away.
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogNotCleaned(exception.GetBaseException().Message);
            }
        }
    }

    private async Task<int> RemoveAsync(string sql, TimeSpan age, CancellationToken cancellationToken)
    {
        var total = 0;
        int removed;
        do
        {
            await using var command = dataSource.CreateCommand(sql);
            command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = age });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = BatchSize });
            removed = await command.ExecuteNonQueryAsync(cancellationToken);
            total += removed;
        }
        while (removed == BatchSize);
        return total;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {Alarms} cleared alarms and {Digests} recorded digests that were old enough")]
    private partial void LogRemoved(int alarms, int digests);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old alarms and digests were not removed this time: {Reason}")]
    private partial void LogNotCleaned(string reason);
}
