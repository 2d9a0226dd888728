using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sagas.Persistence;

/// <summary>Removes rows past their retention at intervals. The next run makes up for one that failed.</summary>
/// <param name="rows">What is removed, for the log: "inbox rows".</param>
/// <param name="interval">From one run to the next.</param>
/// <param name="timeProvider">The clock.</param>
/// <param name="logger">Logs failures and what was removed.</param>
public abstract partial class PeriodicCleanup(string rows, TimeSpan interval, TimeProvider timeProvider, ILogger logger)
    : BackgroundService
{
    /// <summary>Removes what is past its retention.</summary>
    /// <returns>The number of rows removed; 0 when another process is cleaning up.</returns>
    public abstract Task<int> CleanUpAsync(CancellationToken cancellationToken);

    /// <inheritdoc />
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, timeProvider);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var removed = await CleanUpAsync(stoppingToken);
                if (removed > 0)
                    LogRemoved(logger, removed, rows);
            }
            // Any exception: an unobserved one would end the process, and the next run may succeed.
            catch (Exception exception)
                when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, rows, interval, exception.GetBaseException().Message);
            }
        }
    }

    /// <summary>Repeats a statement that removes a limited number of rows until it finds fewer.</summary>
    /// <param name="batchSize">The limit.</param>
    /// <param name="removeBatch">Executes the statement and returns the number of rows removed.</param>
    /// <returns>The number of rows removed in all.</returns>
    protected static async Task<int> RemoveInBatchesAsync(int batchSize, Func<Task<int>> removeBatch)
    {
        ArgumentNullException.ThrowIfNull(removeBatch);
        var total = 0;
        int removed;
        do
        {
            removed = await removeBatch();
            total += removed;
        } while (removed == batchSize);
        return total;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Removed {Count} {Rows} past their retention")]
    private static partial void LogRemoved(ILogger logger, int count, string rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cleanup of {Rows} failed; retrying in {Interval}: {Reason}")]
    private static partial void LogFailed(ILogger logger, string rows, TimeSpan interval, string reason);
}
