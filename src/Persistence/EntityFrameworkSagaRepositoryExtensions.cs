using System.Data;
using MassTransit.Configuration;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.EntityFrameworkCoreIntegration.Saga;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

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
        this ISagaRegistrationConfigurator<TSaga> configurator, Action<IEntityFrameworkSagaRepositoryConfigurator<TSaga>> configure)
        where TSaga : class, ISaga
    {
        var repository = new EntityFrameworkSagaRepositoryConfigurator<TSaga>();
        configure(repository);
        configurator.Repository(repository.Register);
        return configurator;
    }
}

/// <summary>Configures where and how a saga is kept.</summary>
/// <typeparam name="TSaga">The saga's state.</typeparam>
public interface IEntityFrameworkSagaRepositoryConfigurator<TSaga>
    where TSaga : class, ISaga
{
    /// <summary>Pessimistic unless set.</summary>
    ConcurrencyMode ConcurrencyMode { set; }

    /// <summary>Isolation level where the repository makes the transaction itself; read committed unless set.</summary>
    IsolationLevel IsolationLevel { set; }

    /// <summary>Makes the statement that locks a row.</summary>
    ILockStatementProvider LockStatementProvider { set; }

    /// <summary>Uses a context that is registered already.</summary>
    /// <typeparam name="TContext">The context.</typeparam>
    void ExistingDbContext<TContext>()
        where TContext : DbContext;

    /// <summary>Registers a context and uses it.</summary>
    /// <typeparam name="TContext">The context's registered type.</typeparam>
    /// <typeparam name="TImplementation">The context's class.</typeparam>
    /// <param name="optionsAction">Its options; the provider must be Npgsql.</param>
    void AddDbContext<TContext, TImplementation>(Action<IServiceProvider, DbContextOptionsBuilder> optionsAction)
        where TContext : DbContext
        where TImplementation : DbContext, TContext;

    /// <summary>Changes the query that loads an instance, to include what belongs to it.</summary>
    /// <param name="queryCustomization">Takes the query, gives the query.</param>
    void CustomizeQuery(Func<IQueryable<TSaga>, IQueryable<TSaga>> queryCustomization);

    /// <summary>Postgres is the only database there is; this says so where the package's other databases would be named.</summary>
    void UsePostgres();
}

internal sealed class EntityFrameworkSagaRepositoryConfigurator<TSaga> : IEntityFrameworkSagaRepositoryConfigurator<TSaga>
    where TSaga : class, ISaga
{
    private Action<IServiceCollection>? _addContext;
    private Action<IServiceCollection>? _register;
    private Func<IQueryable<TSaga>, IQueryable<TSaga>>? _customize;

    public ConcurrencyMode ConcurrencyMode { private get; set; } = ConcurrencyMode.Pessimistic;

    public IsolationLevel IsolationLevel { private get; set; } = IsolationLevel.ReadCommitted;

    public ILockStatementProvider LockStatementProvider { private get; set; } = new PostgresLockStatementProvider();

    public void ExistingDbContext<TContext>()
        where TContext : DbContext => _register = AddRepository<TContext>;

    public void AddDbContext<TContext, TImplementation>(Action<IServiceProvider, DbContextOptionsBuilder> optionsAction)
        where TContext : DbContext
        where TImplementation : DbContext, TContext
    {
        _addContext = services => services.AddDbContext<TContext, TImplementation>(optionsAction);
        ExistingDbContext<TContext>();
    }

    public void CustomizeQuery(Func<IQueryable<TSaga>, IQueryable<TSaga>> queryCustomization) => _customize = queryCustomization;

    public void UsePostgres() => LockStatementProvider = new PostgresLockStatementProvider();

    public void Register(ISagaRepositoryRegistrationConfigurator<TSaga> services)
    {
        if (_register is null)
        {
            throw new ConfigurationException(
                $"The repository of {typeof(TSaga).Name} has no context: call ExistingDbContext<T>() or AddDbContext<T, T>(...) in EntityFrameworkRepository.");
        }

        _addContext?.Invoke(services);
        _register(services);
    }

    private void AddRepository<TContext>(IServiceCollection services)
        where TContext : DbContext
    {
        var isolationLevel = IsolationLevel;
        services.Configure<EntityFrameworkSagaOptions>(typeof(TSaga).FullName, options => options.IsolationLevel = isolationLevel);
        services.AddSingleton(new EntityFrameworkSaga(TypeCache<TSaga>.ShortName));
        services.AddSingleton(new SagaLoader<TSaga, TContext>(ConcurrencyMode, LockStatementProvider, _customize));
        services.RegisterSagaRepository<TSaga, TContext, SagaConsumeContextFactory<TContext, TSaga>, EntityFrameworkSagaRepositoryContextFactory<TSaga, TContext>>();
        services.RegisterLoadSagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TSaga, TContext>>();
        services.RegisterQuerySagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TSaga, TContext>>();
    }
}
