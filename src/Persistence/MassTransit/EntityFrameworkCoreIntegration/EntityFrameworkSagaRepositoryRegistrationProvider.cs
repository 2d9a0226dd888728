using MassTransit.Configuration;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Gives sagas that are registered by type the same repository configuration.</summary>
internal sealed class EntityFrameworkSagaRepositoryRegistrationProvider(
    Action<IEntityFrameworkSagaRepositoryConfigurator> configure
) : ISagaRepositoryRegistrationProvider
{
    public void Configure<TSaga>(ISagaRegistrationConfigurator<TSaga> configurator)
        where TSaga : class, ISaga => configurator.EntityFrameworkRepository(configure);
}
