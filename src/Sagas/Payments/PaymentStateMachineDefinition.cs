using MassTransit;

namespace Sagas.Payments;

/// <summary>The payment saga's queue.</summary>
public sealed class PaymentStateMachineDefinition : SagaDefinition<PaymentState>
{
    /// <summary>Names the queue.</summary>
    public PaymentStateMachineDefinition() => EndpointName = "payment-saga";
}
