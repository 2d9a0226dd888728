using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;

namespace Sagas.IntegrationTests.Ledger;

/// <summary>A database with the schema for each of the ledger's tests.</summary>
public sealed class LedgerPostgres : IAsyncLifetime
{
    private readonly ServersFixture _servers = new();
    private readonly List<TestDatabase> _databases = [];

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>A new database with the schema.</summary>
    internal async Task<string> CreateDatabaseAsync()
    {
        var database = await _servers.CreateDatabaseAsync("ledger");
        _databases.Add(database);
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 50 }.ConnectionString;
        await using var source = NpgsqlDataSource.Create(connection);
        await SchemaMigrator.MigrateAsync(source, typeof(SagasDbContext).Assembly);
        return connection;
    }

    public async Task DisposeAsync()
    {
        foreach (var database in _databases)
            await database.DisposeAsync();
    }
}

[CollectionDefinition(nameof(LedgerPostgres))]
public sealed class LedgerPostgresCollection : ICollectionFixture<LedgerPostgres>;
