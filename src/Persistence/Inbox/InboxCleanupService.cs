using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// Removes inbox rows that are older than the duplicate detection window, in small batches, in one process at a time.
/// </summary>
internal sealed class InboxCleanupService(
    OutboxDatabase database,
    IOptions<EntityFrameworkOutboxOptions> options,
    TimeProvider timeProvider,
    ILogger<InboxCleanupService> logger
) : PeriodicCleanup("inbox rows", _interval, timeProvider, logger)
{
    internal const string AdvisoryLock = "7230001";

    private const int BatchSize = 10_000;

    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);

    /// <inheritdoc />
    public override Task<int> CleanUpAsync(CancellationToken cancellationToken) =>
        RemoveInBatchesAsync(
            BatchSize,
            () =>
                database.ExecuteAsync(
                    database.Tables.Inbox.RemoveOld,
                    cancellationToken,
                    new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.DuplicateDetectionWindow },
                    new NpgsqlParameter<int> { TypedValue = BatchSize }
                )
        );
}
