using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>Connections for the outbox's own work, outside any consumer.</summary>
internal abstract class OutboxDatabase
{
    /// <summary>The outbox's tables.</summary>
    public abstract OutboxTables Tables { get; }

    /// <summary>The context's model.</summary>
    public abstract IModel Model { get; }

    /// <summary>Opens a connection; disposing it returns it to the pool.</summary>
    /// <exception cref="ContainerDisposedException">The process ends.</exception>
    public abstract Task<OutboxConnection> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Runs one statement.</summary>
    /// <returns>The number of rows that it changed.</returns>
    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection.Npgsql);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <inheritdoc />
internal sealed class OutboxDatabase<TDbContext>(IServiceScopeFactory scopeFactory) : OutboxDatabase
    where TDbContext : DbContext
{
    private readonly Lazy<(OutboxTables Tables, IModel Model)> _read = new(
        () => Read(scopeFactory),
        LazyThreadSafetyMode.PublicationOnly
    );

    public override OutboxTables Tables => _read.Value.Tables;

    public override IModel Model => _read.Value.Model;

    public override async Task<OutboxConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var scope = CreateScope();
        try
        {
            var database = scope.ServiceProvider.GetRequiredService<TDbContext>().Database;
            if (!database.IsNpgsql())
            {
                throw new ConfigurationException(
                    $"The outbox of {typeof(TDbContext).Name} needs Postgres: "
                        + $"configure the context with UseNpgsql(...); it uses {database.ProviderName}."
                );
            }

            await database.OpenConnectionAsync(cancellationToken);
            return new OutboxConnection(scope, (NpgsqlConnection)database.GetDbConnection());
        }
        catch
        {
            await scope.DisposeAsync();
            throw;
        }
    }

    private AsyncServiceScope CreateScope()
    {
        try
        {
            return scopeFactory.CreateAsyncScope();
        }
        catch (ObjectDisposedException exception)
        {
            throw new ContainerDisposedException(exception);
        }
    }

    private static (OutboxTables Tables, IModel Model) Read(IServiceScopeFactory scopeFactory)
    {
        using var scope = scopeFactory.CreateScope();
        var dbContext = scope.ServiceProvider.GetRequiredService<TDbContext>();
        OutboxTables.Check(dbContext);
        return (OutboxTables.Of(dbContext), dbContext.Model);
    }
}
