using Npgsql;
using Sagas.Persistence;

namespace Sagas.Host.Database;

/// <summary>Retries what a start needs the database for until the database is available.</summary>
internal sealed partial class DatabaseStartupRetry(
    NpgsqlDataSource dataSource,
    TimeProvider timeProvider,
    ILogger<DatabaseStartupRetry> logger
)
{
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);

    private const int AttemptsPerReport = 15;

    /// <summary>Runs the work, from the beginning after each failure that may pass. Other exceptions are thrown.</summary>
    public async Task RunAsync(Func<NpgsqlDataSource, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await work(dataSource, cancellationToken);
                return;
            }
            catch (Exception exception) when (MayPass(exception))
            {
                if (attempt % AttemptsPerReport == 0)
                    Report(exception);
                await Task.Delay(_retryDelay, timeProvider, cancellationToken);
            }
        }
    }

    private void Report(Exception exception)
    {
        var address = new NpgsqlConnectionStringBuilder(dataSource.ConnectionString);
        LogWaiting(logger, address.Host, address.Port, address.Database, exception.GetBaseException().Message);
    }

    // A role or database that does not exist yet may be created while the process waits; wrong SQL stays wrong.
    private static bool MayPass(Exception exception) =>
        DatabaseFaults.Classify(exception) is DatabaseFault.Transient or DatabaseFault.LoginRejected;

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Postgres at {Host}:{Port}, database {Database}, is unavailable; retrying every second: {Reason}"
    )]
    private static partial void LogWaiting(ILogger logger, string? host, int port, string? database, string reason);
}
