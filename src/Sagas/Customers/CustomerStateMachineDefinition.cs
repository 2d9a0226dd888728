using MassTransit;

namespace Sagas.Customers;

/// <summary>The customer saga's queue.</summary>
public sealed class CustomerStateMachineDefinition : SagaDefinition<CustomerState>
{
    /// <summary>Its name.</summary>
    public const string Queue = "customer-saga";

    /// <summary>Names the queue.</summary>
    public CustomerStateMachineDefinition() => EndpointName = Queue;
}
