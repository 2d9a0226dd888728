using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>Removes inbox rows that are older than the duplicate detection window, in small batches, in one process at a time.</summary>
internal sealed partial class InboxCleanupService(
    OutboxDatabase database, IOptions<EntityFrameworkOutboxOptions> options, TimeProvider timeProvider, ILogger<InboxCleanupService> logger)
    : BackgroundService
{
    internal const string AdvisoryLock = "7230001";

    private const int BatchSize = 10_000;

    private const string Remove = $"""
        DELETE FROM inbox_state WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM inbox_state WHERE received < now() - $1 AND (SELECT pg_try_advisory_xact_lock({AdvisoryLock})) LIMIT $2))
        """;

    private static readonly TimeSpan _every = TimeSpan.FromMinutes(1);

    /// <summary>Removes what is too old.</summary>
    /// <returns>The number of rows removed.</returns>
    public async Task<int> CleanUpAsync(CancellationToken cancellationToken)
    {
        var total = 0;
        int removed;
        do
        {
            removed = await database.ExecuteAsync(
                Remove,
                cancellationToken,
                new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.DuplicateDetectionWindow },
                new NpgsqlParameter<int> { TypedValue = BatchSize });
            total += removed;
        }
        while (removed == BatchSize);
        return total;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_every, timeProvider);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await CleanUpAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogNotCleaned(exception.GetBaseException().Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The inbox was not cleaned up this time: {Reason}")]
    private partial void LogNotCleaned(string reason);
}
