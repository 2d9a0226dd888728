using MassTransit;
using Sagas.Customers;
using Sagas.Host.Settings;
using Sagas.Payments;

namespace Sagas.Host.Bus;

/// <summary>Which feature runs in which role.</summary>
internal static class Features
{
    public static void AddFeatures(this IBusRegistrationConfigurator bus, HostSettings settings)
    {
        if (settings.Roles.Has(Roles.Sagas))
        {
            bus.AddSagaStateMachine<CustomerStateMachine, CustomerState>().InMemoryRepository().Endpoint(endpoint => endpoint.Name = "customer-saga");
            bus.AddSagaStateMachine<PaymentStateMachine, PaymentState>().InMemoryRepository().Endpoint(endpoint => endpoint.Name = "payment-saga");
        }
    }
}
