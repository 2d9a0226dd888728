using MassTransit;

namespace Sagas.Payments;

/// <summary>The payment saga's queue.</summary>
public sealed class PaymentStateMachineDefinition : SagaDefinition<PaymentState>
{
    /// <summary>Its name.</summary>
    public const string Queue = "payment-saga";

    /// <summary>Names the queue.</summary>
    public PaymentStateMachineDefinition() => EndpointName = Queue;
}
