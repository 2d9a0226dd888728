using System.Data;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace MassTransit;

/// <summary>Configures where and how sagas are kept.</summary>
public interface IEntityFrameworkSagaRepositoryConfigurator
{
    /// <summary>Pessimistic unless set.</summary>
    ConcurrencyMode ConcurrencyMode { set; }

    /// <summary>Isolation level where the repository begins the transaction itself; read committed unless set.</summary>
    IsolationLevel IsolationLevel { set; }

    /// <summary>Creates the statement that locks a row.</summary>
    ILockStatementProvider LockStatementProvider { set; }

    /// <summary>Uses a context that is registered already.</summary>
    /// <typeparam name="TContext">The context.</typeparam>
    void ExistingDbContext<TContext>()
        where TContext : DbContext;

    /// <summary>Registers a context and uses it.</summary>
    /// <typeparam name="TContext">The context's registered type.</typeparam>
    /// <typeparam name="TImplementation">The context's class.</typeparam>
    /// <param name="optionsAction">Its options, unless the context configures itself; the provider must be Npgsql.</param>
    void AddDbContext<TContext, TImplementation>(
        Action<IServiceProvider, DbContextOptionsBuilder<TImplementation>>? optionsAction = null
    )
        where TContext : DbContext
        where TImplementation : DbContext, TContext;

    /// <summary>Creates a context for each message, which is disposed after it. An outbox cannot commit with it.</summary>
    /// <param name="databaseFactory">Creates a context.</param>
    void DatabaseFactory(Func<DbContext> databaseFactory);

    /// <inheritdoc cref="DatabaseFactory(Func{DbContext})"/>
    /// <param name="databaseFactory">Takes the scope of the message and returns a function that creates a context.</param>
    void DatabaseFactory(Func<IServiceProvider, Func<DbContext>> databaseFactory);
}

/// <summary>Configures where and how a saga is kept.</summary>
/// <typeparam name="TSaga">The saga's state.</typeparam>
public interface IEntityFrameworkSagaRepositoryConfigurator<TSaga> : IEntityFrameworkSagaRepositoryConfigurator
    where TSaga : class, ISaga
{
    /// <summary>Changes the query that loads an instance, to include what belongs to it.</summary>
    /// <param name="queryCustomization">Takes the query and returns the changed one.</param>
    void CustomizeQuery(Func<IQueryable<TSaga>, IQueryable<TSaga>> queryCustomization);
}
