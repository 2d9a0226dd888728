using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.Persistence;

/// <summary>
/// Stops a bus from starting whose endpoint has an outbox in another context than a saga of it: what a message does to the saga
/// and what it sends could not be committed together.
/// </summary>
/// <typeparam name="TDbContext">The outbox's context.</typeparam>
/// <param name="provider">The container.</param>
internal sealed class SagaContextCheck<TDbContext>(IServiceProvider provider) : ISagaConfigurationObserver
    where TDbContext : DbContext
{
    public void SagaConfigured<TSaga>(ISagaConfigurator<TSaga> configurator)
        where TSaga : class, ISaga => Check(typeof(TSaga));

    public void StateMachineSagaConfigured<TInstance>(
        ISagaConfigurator<TInstance> configurator,
        SagaStateMachine<TInstance> stateMachine
    )
        where TInstance : class, ISaga, SagaStateMachineInstance => Check(typeof(TInstance));

    public void SagaMessageConfigured<TSaga, TMessage>(ISagaMessageConfigurator<TSaga, TMessage> configurator)
        where TSaga : class, ISaga
        where TMessage : class { }

    private void Check(Type sagaType)
    {
        foreach (var saga in provider.GetServices<EntityFrameworkSaga>().Where(saga => saga.SagaType == sagaType))
        {
            using var scope = provider.CreateScope();
            var outbox = scope.ServiceProvider.GetRequiredService<TDbContext>();
            var context = saga.Contexts(scope.ServiceProvider).Create();
            if (ReferenceEquals(context, outbox))
                continue;
            var name = context.GetType().Name;
            context.Dispose();
            throw new ConfigurationException(
                $"{sagaType.Name} is in {name}, and the outbox of its endpoint in {typeof(TDbContext).Name}: "
                    + $"one transaction cannot commit both. Map the saga in {typeof(TDbContext).Name} and name that in "
                    + $"ExistingDbContext, or configure its endpoint with UseEntityFrameworkOutbox<{name}>."
            );
        }
    }
}
