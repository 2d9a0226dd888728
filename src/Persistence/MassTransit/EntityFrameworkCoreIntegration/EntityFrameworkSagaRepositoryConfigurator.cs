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
    private Func<IQueryable<TSaga>, IQueryable<TSaga>>? _customize;

    public ConcurrencyMode ConcurrencyMode { private get; set; } = ConcurrencyMode.Pessimistic;

    public IsolationLevel IsolationLevel { private get; set; } = IsolationLevel.ReadCommitted;

    public ILockStatementProvider LockStatementProvider { private get; set; } = new PostgresLockStatementProvider();

    public void ExistingDbContext<TContext>()
        where TContext : DbContext =>
        _addContext = services =>
            services.AddScoped<ISagaDbContextFactory<TSaga>, ContainerSagaDbContextFactory<TSaga, TContext>>();

    public void DatabaseFactory(Func<DbContext> databaseFactory) => DatabaseFactory(_ => databaseFactory);

    public void DatabaseFactory(Func<IServiceProvider, Func<DbContext>> databaseFactory) =>
        _addContext = services =>
            services.AddScoped<ISagaDbContextFactory<TSaga>>(provider => new DelegateSagaDbContextFactory<TSaga>(
                databaseFactory(provider)
            ));

    public void AddDbContext<TContext, TImplementation>(
        Action<IServiceProvider, DbContextOptionsBuilder<TImplementation>>? optionsAction = null
    )
        where TContext : DbContext
        where TImplementation : DbContext, TContext
    {
        ExistingDbContext<TContext>();
        _addContext += services =>
            services.AddDbContext<TContext, TImplementation>(
                (provider, options) => optionsAction?.Invoke(provider, (DbContextOptionsBuilder<TImplementation>)options)
            );
    }

    public void CustomizeQuery(Func<IQueryable<TSaga>, IQueryable<TSaga>> queryCustomization) => _customize = queryCustomization;

    public void Register(ISagaRepositoryRegistrationConfigurator<TSaga> services)
    {
        if (_addContext is null)
        {
            throw new ConfigurationException(
                $"The repository of {typeof(TSaga).Name} has no context: "
                    + "call ExistingDbContext<T>(), AddDbContext<T, T>(...) or DatabaseFactory(...) in EntityFrameworkRepository."
            );
        }

        _addContext(services);
        AddRepository(services);
    }

    private void AddRepository(IServiceCollection services)
    {
        services.AddSingleton(
            new EntityFrameworkSaga(
                TypeCache<TSaga>.ShortName,
                typeof(TSaga),
                provider => provider.GetRequiredService<ISagaDbContextFactory<TSaga>>()
            )
        );
        if (services.All(service => service.ImplementationType != typeof(PersistenceStartCheck)))
            services.AddBeforeBus(ServiceDescriptor.Singleton<IHostedService, PersistenceStartCheck>());
        services.AddSingleton(new SagaLoader<TSaga>(ConcurrencyMode, IsolationLevel, LockStatementProvider, _customize));
        services.RegisterSagaRepository<
            TSaga,
            DbContext,
            SagaConsumeContextFactory<DbContext, TSaga>,
            EntityFrameworkSagaRepositoryContextFactory<TSaga>
        >();
        services.RegisterLoadSagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TSaga>>();
        services.RegisterQuerySagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TSaga>>();
    }
}
