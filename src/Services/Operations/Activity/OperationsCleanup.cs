using Microsoft.Extensions.Logging;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.Services.Operations.Activity;

/// <summary>Removes activity and processes that no page shows any more. The audit is kept.</summary>
internal sealed class OperationsCleanup(NpgsqlDataSource database, TimeProvider timeProvider, ILogger<OperationsCleanup> logger)
    : PeriodicCleanup("rows of activity", TimeSpan.FromHours(1), timeProvider, logger)
{
    public override async Task<int> CleanUpAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            WITH activity AS (DELETE FROM activity WHERE minute < now() - interval '8 days' RETURNING 1),
                 process AS (DELETE FROM process WHERE heartbeat_at < now() - interval '1 day' RETURNING 1)
            SELECT (SELECT count(*) FROM activity) + (SELECT count(*) FROM process)
            """
        );
        return (int)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
