using MassTransit;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;

namespace Sagas.Services.Payments;

/// <summary>Enqueues the call for a payment in the consumer's transaction; the dispatcher makes it after the commit.</summary>
internal sealed class ProcessPaymentConsumer(SagasDbContext database, PaymentGateway gateway) : IConsumer<ProcessPayment>
{
    public Task Consume(ConsumeContext<ProcessPayment> context)
    {
        var payment = context.Message;
        // The payment saga sends nothing else; from other senders it becomes a dead letter.
        if (
            string.IsNullOrWhiteSpace(payment.PaymentId)
            || string.IsNullOrWhiteSpace(payment.CustomerId)
            || string.IsNullOrWhiteSpace(payment.Currency)
            || payment.Amount <= 0
        )
            throw new InvalidMessageException(
                "A payment to process needs an id, a customer, a currency and an amount above zero."
            );
        var saga = SagaIdentity.Payment(payment.PaymentId);
        return CallQueue.EnqueueAsync(
            database,
            gateway,
            saga.ToString("D"),
            payment,
            context.ConversationId,
            saga,
            context.CancellationToken
        );
    }
}

/// <summary>The queue of <see cref="ProcessPaymentConsumer"/>.</summary>
internal sealed class ProcessPaymentConsumerDefinition : ConsumerDefinition<ProcessPaymentConsumer>
{
    private readonly CallSignal<PaymentGateway> _signal;

    public ProcessPaymentConsumerDefinition(CallSignal<PaymentGateway> signal)
    {
        _signal = signal;
        EndpointName = PaymentsModule.ProcessPaymentQueue;
    }

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<ProcessPaymentConsumer> consumerConfigurator,
        IRegistrationContext context
    ) => endpointConfigurator.ConfigureReceive(pipe => pipe.UseFilter(new CallSignalFilter(_signal)));
}
