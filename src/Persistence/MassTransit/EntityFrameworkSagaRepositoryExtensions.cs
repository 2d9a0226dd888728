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
        var repository = new EntityFrameworkSagaRepositoryConfigurator<TSaga>();
        configure(repository);
        configurator.Repository(repository.Register);
        return configurator;
    }
}
