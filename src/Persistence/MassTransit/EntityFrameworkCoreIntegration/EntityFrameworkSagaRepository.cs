using System.Data;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Creates repositories without a container, for an endpoint's <c>Saga</c> or <c>StateMachineSaga</c>. Each message has a context
/// and a transaction of its own, read committed, so an outbox of the endpoint does not commit with it.
/// </summary>
/// <typeparam name="TSaga">The saga's state.</typeparam>
public static class EntityFrameworkSagaRepository<TSaga>
    where TSaga : class, ISaga
{
    /// <summary>Creates a repository in which simultaneous changes of a saga fail, to be repeated.</summary>
    /// <param name="dbContextFactory">Creates a context.</param>
    /// <param name="queryCustomization">Changes the query that loads an instance.</param>
    public static ISagaRepository<TSaga> CreateOptimistic(
        Func<DbContext> dbContextFactory,
        Func<IQueryable<TSaga>, IQueryable<TSaga>>? queryCustomization = null
    ) => CreateOptimistic(new DelegateSagaDbContextFactory<TSaga>(dbContextFactory), queryCustomization);

    /// <inheritdoc cref="CreateOptimistic(Func{DbContext}, Func{IQueryable{TSaga}, IQueryable{TSaga}})"/>
    public static ISagaRepository<TSaga> CreateOptimistic(
        ISagaDbContextFactory<TSaga> dbContextFactory,
        Func<IQueryable<TSaga>, IQueryable<TSaga>>? queryCustomization = null
    ) => Create(dbContextFactory, ConcurrencyMode.Optimistic, null, queryCustomization);

    /// <summary>Creates a repository in which simultaneous changes of a saga wait for each other.</summary>
    /// <param name="dbContextFactory">Creates a context.</param>
    /// <param name="lockStatementProvider">Creates the statement that locks a row; null: <c>SELECT … FOR UPDATE</c>.</param>
    /// <param name="queryCustomization">Changes the query that loads an instance.</param>
    public static ISagaRepository<TSaga> CreatePessimistic(
        Func<DbContext> dbContextFactory,
        ILockStatementProvider? lockStatementProvider = null,
        Func<IQueryable<TSaga>, IQueryable<TSaga>>? queryCustomization = null
    ) => CreatePessimistic(new DelegateSagaDbContextFactory<TSaga>(dbContextFactory), lockStatementProvider, queryCustomization);

    /// <inheritdoc
    /// cref="CreatePessimistic(Func{DbContext}, ILockStatementProvider, Func{IQueryable{TSaga}, IQueryable{TSaga}})"/>
    public static ISagaRepository<TSaga> CreatePessimistic(
        ISagaDbContextFactory<TSaga> dbContextFactory,
        ILockStatementProvider? lockStatementProvider = null,
        Func<IQueryable<TSaga>, IQueryable<TSaga>>? queryCustomization = null
    ) => Create(dbContextFactory, ConcurrencyMode.Pessimistic, lockStatementProvider, queryCustomization);

    private static SagaRepository<TSaga> Create(
        ISagaDbContextFactory<TSaga> dbContextFactory,
        ConcurrencyMode mode,
        ILockStatementProvider? lockStatementProvider,
        Func<IQueryable<TSaga>, IQueryable<TSaga>>? queryCustomization
    )
    {
        ArgumentNullException.ThrowIfNull(dbContextFactory);
        var loader = new SagaLoader<TSaga>(
            mode,
            IsolationLevel.ReadCommitted,
            lockStatementProvider ?? new PostgresLockStatementProvider(),
            queryCustomization
        );
        var contexts = new EntityFrameworkSagaRepositoryContextFactory<TSaga>(dbContextFactory, loader);
        return new SagaRepository<TSaga>(contexts, contexts, contexts);
    }
}
