using MassTransit;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Payments;

namespace Sagas.Services.Payments;

/// <summary>Enqueues the call for a payment in the consumer's transaction; the dispatcher makes it after the commit.</summary>
internal sealed class ProcessPaymentConsumer(SagasDbContext database, PaymentGateway gateway) : IConsumer<ProcessPayment>
{
    public async Task Consume(ConsumeContext<ProcessPayment> context)
    {
        var (message, cancellationToken) = (context.Message, context.CancellationToken);
        // The payment saga sends nothing else; from other senders it becomes a dead letter.
        if (
            string.IsNullOrWhiteSpace(message.PaymentId)
            || string.IsNullOrWhiteSpace(message.CustomerId)
            || string.IsNullOrWhiteSpace(message.Currency)
            || message.Amount <= 0
        )
            throw new InvalidMessageException(
                "A payment to process needs an id, a customer, a currency and an amount above zero."
            );
        var payment = message with { Amount = Currencies.Normalize(message.Amount, message.Currency) };
        var saga = SagaIdentity.Payment(payment.PaymentId);
        var key = saga.ToString("D");
        if (CallQueue.TryEnqueueWithCommit(context, gateway, key, payment, saga))
            return;
        var isNew = await CallQueue.EnqueueAsync(
            database,
            gateway,
            key,
            payment,
            context.ConversationId,
            saga,
            cancellationToken
        );
        if (!isNew && await CallConflict.ExistsAsync(database, gateway, key, payment, cancellationToken))
            throw new InvalidMessageException(
                $"Payment {payment.PaymentId} was to be processed before with another customer, amount or currency."
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
