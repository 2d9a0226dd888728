using MassTransit;

namespace Sagas.Customers;

/// <summary>The life of a customer.</summary>
public sealed class CustomerStateMachine : MassTransitStateMachine<CustomerState>;
