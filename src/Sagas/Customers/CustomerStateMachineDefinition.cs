using MassTransit;

namespace Sagas.Customers;

/// <summary>The customer saga's queue.</summary>
public sealed class CustomerStateMachineDefinition : SagaDefinition<CustomerState>
{
    /// <summary>Names the queue.</summary>
    public CustomerStateMachineDefinition() => EndpointName = "customer-saga";
}
