using MassTransit;

namespace Sagas.Payments;

/// <summary>The life of a payment.</summary>
public sealed class PaymentStateMachine : MassTransitStateMachine<PaymentState>;
