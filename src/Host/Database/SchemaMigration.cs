using Sagas.Configuration;
using Sagas.Persistence;
using Sagas.Services;

namespace Sagas.Host.Database;

/// <summary>Brings the schema up to date before anything else starts.</summary>
internal sealed class SchemaMigration(DatabaseStartupRetry database, Features features, ILogger<SchemaMigration> logger)
    : IHostedService
{
    /// <summary>Whether the schema is known to be up to date.</summary>
    public bool IsDone { get; private set; }

    /// <exception cref="SchemaMigrationException">The schema cannot be brought up to date.</exception>
    /// <exception cref="InvalidConfigurationException">A pooler does not keep sessions.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await database.RunAsync(SessionCheck.RunAsync, cancellationToken);
        await database.RunAsync(
            (dataSource, token) => SchemaMigrator.MigrateAsync(dataSource, features.Migrations, logger, token),
            cancellationToken
        );
        IsDone = true;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
