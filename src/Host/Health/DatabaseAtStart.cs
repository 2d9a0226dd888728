using Npgsql;
using Sagas.Persistence;

namespace Sagas.Host.Health;

/// <summary>Does what a start needs the database for, and waits for a database that is not up yet or goes away meanwhile.</summary>
internal sealed partial class DatabaseAtStart(NpgsqlDataSource dataSource, ILogger<DatabaseAtStart> logger)
{
    private static readonly TimeSpan _betweenAttempts = TimeSpan.FromSeconds(1);

    private const int AttemptsPerReport = 15;

    /// <summary>Does it, from the beginning after each failure that is worth waiting for.</summary>
    /// <param name="work">What is to be done; any other exception of it ends the waiting.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RunAsync(Func<NpgsqlDataSource, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await work(dataSource, cancellationToken);
                return;
            }
            catch (Exception exception) when (IsWorthWaiting(exception))
            {
                if (attempt % AttemptsPerReport == 0)
                    Report(exception);
                await Task.Delay(_betweenAttempts, cancellationToken);
            }
        }
    }

    private void Report(Exception exception)
    {
        var address = new NpgsqlConnectionStringBuilder(dataSource.ConnectionString);
        LogWaiting(logger, address.Host, address.Port, address.Database, exception.GetBaseException().Message);
    }

    // A role or database that does not exist yet may be created while the process waits; wrong SQL stays wrong.
    private static bool IsWorthWaiting(Exception exception) =>
        DatabaseFaults.Classify(exception) is DatabaseFault.Transient or DatabaseFault.LoginRejected;

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Postgres at {Host}:{Port}, database {Database}, cannot be used yet, trying again every second: {Reason}")]
    private static partial void LogWaiting(ILogger logger, string? host, int port, string? database, string reason);
}
