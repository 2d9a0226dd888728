using System.Net.Sockets;
using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;

namespace Sagas.Host.Health;

/// <summary>Brings the schema up to date before anything else starts, waiting for a database that is not up yet.</summary>
internal sealed partial class SchemaMigration(NpgsqlDataSource dataSource, ILogger<SchemaMigration> logger) : IHostedService
{
    private static readonly TimeSpan _betweenAttempts = TimeSpan.FromSeconds(1);

    private const int AttemptsPerReport = 15;

    /// <summary>Whether the schema is known to be up to date.</summary>
    public bool IsDone { get; private set; }

    /// <exception cref="InvalidOperationException">An applied migration was changed.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; !IsDone; attempt++)
        {
            try
            {
                await SchemaMigrator.MigrateAsync(dataSource, typeof(SagasDbContext).Assembly, logger, cancellationToken);
                IsDone = true;
            }
            catch (Exception exception) when (IsWorthWaiting(exception))
            {
                if (attempt % AttemptsPerReport == 0)
                    Report(exception);
                await Task.Delay(_betweenAttempts, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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
