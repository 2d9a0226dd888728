using System.Data;
using MassTransit.EntityFrameworkCoreIntegration;

namespace MassTransit;

/// <summary>Sagas in Postgres through EF Core.</summary>
public static class EntityFrameworkSagaRepositoryExtensions
{
    /// <summary>Keeps the saga in the database.</summary>
    /// <typeparam name="TSaga">The saga's state.</typeparam>
    /// <param name="configurator">The saga's registration.</param>
    /// <param name="configure">Names the context, the concurrency mode and the rest.</param>
    /// <exception cref="ConfigurationException">No context was named.</exception>
    public static ISagaRegistrationConfigurator<TSaga> EntityFrameworkRepository<TSaga>(
        this ISagaRegistrationConfigurator<TSaga> configurator,
        Action<IEntityFrameworkSagaRepositoryConfigurator<TSaga>> configure
    )
        where TSaga : class, ISaga
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(configure);
        var repository = new EntityFrameworkSagaRepositoryConfigurator<TSaga>();
        configure(repository);
        configurator.Repository(repository.Register);
        return configurator;
    }

    /// <summary>Keeps the sagas of the job service in the database.</summary>
    /// <param name="configurator">Their registration.</param>
    /// <param name="configure">Names the context, the concurrency mode and the rest.</param>
    public static IJobSagaRegistrationConfigurator EntityFrameworkRepository(
        this IJobSagaRegistrationConfigurator configurator,
        Action<IEntityFrameworkSagaRepositoryConfigurator> configure
    )
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(configure);
        configurator.UseRepositoryRegistrationProvider(new EntityFrameworkSagaRepositoryRegistrationProvider(configure));
        return configurator;
    }

    /// <summary>Keeps the sagas in the database whose registration names no repository.</summary>
    /// <param name="configurator">The bus registration.</param>
    /// <param name="configure">Names the context, the concurrency mode and the rest.</param>
    public static void SetEntityFrameworkSagaRepositoryProvider(
        this IRegistrationConfigurator configurator,
        Action<IEntityFrameworkSagaRepositoryConfigurator> configure
    )
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(configure);
        configurator.SetSagaRepositoryProvider(new EntityFrameworkSagaRepositoryRegistrationProvider(configure));
    }

    /// <summary>
    /// Lets simultaneous changes of a saga fail, to be repeated, instead of waiting for each other. Its map needs a row version.
    /// </summary>
    /// <param name="configurator">The repository.</param>
    /// <param name="isolationLevel">Isolation level where the repository begins the transaction itself.</param>
    public static IEntityFrameworkSagaRepositoryConfigurator SetOptimisticConcurrency(
        this IEntityFrameworkSagaRepositoryConfigurator configurator,
        IsolationLevel isolationLevel = IsolationLevel.ReadCommitted
    )
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.ConcurrencyMode = ConcurrencyMode.Optimistic;
        configurator.IsolationLevel = isolationLevel;
        return configurator;
    }

    /// <summary>Names the only database there is, as in the package that has others.</summary>
    /// <typeparam name="TSaga">The saga's state.</typeparam>
    /// <param name="configurator">The repository.</param>
    /// <param name="schemaName">The schema of tables for which the model names none.</param>
    public static IEntityFrameworkSagaRepositoryConfigurator<TSaga> UsePostgres<TSaga>(
        this IEntityFrameworkSagaRepositoryConfigurator<TSaga> configurator,
        string? schemaName = null
    )
        where TSaga : class, ISaga
    {
        UsePostgres((IEntityFrameworkSagaRepositoryConfigurator)configurator, schemaName);
        return configurator;
    }

    /// <inheritdoc cref="UsePostgres{TSaga}"/>
    public static IEntityFrameworkSagaRepositoryConfigurator UsePostgres(
        this IEntityFrameworkSagaRepositoryConfigurator configurator,
        string? schemaName = null
    )
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.LockStatementProvider = new PostgresLockStatementProvider(schemaName);
        return configurator;
    }
}
