using System.Net.Sockets;
using Npgsql;

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

    // A role or database that does not exist yet is made by whatever sets the server up; wrong SQL stays wrong.
    private static bool IsWorthWaiting(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.IsTransient || postgres.SqlState is PostgresErrorCodes.InvalidPassword
            or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InvalidAuthorizationSpecification
            or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown,
        NpgsqlException or SocketException or TimeoutException or IOException => true,
        _ => false,
    };

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Postgres at {Host}:{Port}, database {Database}, cannot be used yet, trying again every second: {Reason}")]
    private static partial void LogWaiting(ILogger logger, string? host, int port, string? database, string reason);
}
