using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Sagas.Customers;
using Sagas.Payments;

namespace Sagas.Database;

/// <summary>Registers the sagas with all that they need.</summary>
public static class SagasRegistrationExtensions
{
    /// <summary>Adds the customer and payment sagas, kept in <see cref="SagasDbContext"/>, which must be registered.</summary>
    /// <param name="configurator">The bus registration.</param>
    public static void AddSagas(this IBusRegistrationConfigurator configurator)
    {
        configurator.AddCustomerSaga();
        configurator.AddPaymentSaga();
    }

    /// <summary>Adds the customer saga, kept in <see cref="SagasDbContext"/>, which must be registered.</summary>
    /// <param name="configurator">The bus registration.</param>
    public static void AddCustomerSaga(this IBusRegistrationConfigurator configurator)
    {
        configurator.AddScoped<ReleaseWaitingPayments>();
        configurator.AddPostgresSaga<CustomerStateMachine, CustomerState, CustomerStateMachineDefinition>();
    }

    /// <summary>Adds the payment saga, kept in <see cref="SagasDbContext"/>, which must be registered.</summary>
    /// <param name="configurator">The bus registration.</param>
    public static void AddPaymentSaga(this IBusRegistrationConfigurator configurator)
    {
        configurator.AddSingleton<ICustomerDirectory, CustomerDirectory>();
        configurator.AddPostgresSaga<PaymentStateMachine, PaymentState, PaymentStateMachineDefinition>();
    }

    /// <summary>Adds a saga, kept in <see cref="SagasDbContext"/>, which must be registered and have the saga's map.</summary>
    /// <typeparam name="TMachine">The state machine.</typeparam>
    /// <typeparam name="TState">Its state.</typeparam>
    /// <typeparam name="TDefinition">Names its queue.</typeparam>
    /// <param name="configurator">The bus registration.</param>
    public static void AddPostgresSaga<TMachine, TState, TDefinition>(this IBusRegistrationConfigurator configurator)
        where TMachine : class, SagaStateMachine<TState>
        where TState : class, SagaStateMachineInstance
        where TDefinition : class, ISagaDefinition<TState>
    {
        configurator.TryAddSingleton(TimeProvider.System);
        configurator.AddSagaStateMachine<TMachine, TState, TDefinition>().EntityFrameworkRepository(InPostgres);
    }

    // Two messages for one saga at once are rare, so nothing is locked: the row version finds them, and the second is retried.
    private static void InPostgres<TSaga>(IEntityFrameworkSagaRepositoryConfigurator<TSaga> repository)
        where TSaga : class, ISaga
    {
        repository.ConcurrencyMode = ConcurrencyMode.Optimistic;
        repository.ExistingDbContext<SagasDbContext>();
        repository.UsePostgres();
    }
}
