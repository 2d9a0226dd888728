using System.Data;
using MassTransit.Configuration;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

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

    public void AddDbContext<TContext, TImplementation>(
        Action<IServiceProvider, DbContextOptionsBuilder<TImplementation>>? optionsAction = null
    )
        where TContext : DbContext
        where TImplementation : DbContext, TContext
    {
        _addContext = services =>
            services.AddDbContext<TContext, TImplementation>(
                (provider, options) => optionsAction?.Invoke(provider, (DbContextOptionsBuilder<TImplementation>)options)
            );
        ExistingDbContext<TContext>();
    }

    public void CustomizeQuery(Func<IQueryable<TSaga>, IQueryable<TSaga>> queryCustomization) => _customize = queryCustomization;

    public void Register(ISagaRepositoryRegistrationConfigurator<TSaga> services)
    {
        if (_register is null)
        {
            throw new ConfigurationException(
                $"The repository of {typeof(TSaga).Name} has no context: "
                    + "call ExistingDbContext<T>() or AddDbContext<T, T>(...) in EntityFrameworkRepository."
            );
        }

        _addContext?.Invoke(services);
        _register(services);
    }

    private void AddRepository<TContext>(IServiceCollection services)
        where TContext : DbContext
    {
        var isolationLevel = IsolationLevel;
        services.Configure<EntityFrameworkSagaOptions>(
            typeof(TSaga).FullName,
            options => options.IsolationLevel = isolationLevel
        );
        services.AddSingleton(new EntityFrameworkSaga(TypeCache<TSaga>.ShortName, typeof(TSaga), typeof(TContext)));
        if (services.All(service => service.ImplementationType != typeof(PersistenceStartCheck)))
            services.AddBeforeBus(ServiceDescriptor.Singleton<IHostedService, PersistenceStartCheck>());
        services.AddSingleton(new SagaLoader<TSaga, TContext>(ConcurrencyMode, LockStatementProvider, _customize));
        services.RegisterSagaRepository<
            TSaga,
            TContext,
            SagaConsumeContextFactory<TContext, TSaga>,
            EntityFrameworkSagaRepositoryContextFactory<TSaga, TContext>
        >();
        services.RegisterLoadSagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TSaga, TContext>>();
        services.RegisterQuerySagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TSaga, TContext>>();
    }
}
