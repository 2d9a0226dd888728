using MassTransit;
using Sagas.Contracts;
using Sagas.Services.Ledger;

namespace Sagas.Services.Payments;

/// <summary>Enters a payment in the ledger, in the consumer's transaction; the dispatcher makes the call after it.</summary>
internal sealed class ProcessPaymentConsumer(SagasDbContext database, PaymentGateway gateway) : IConsumer<ProcessPayment>
{
    public Task Consume(ConsumeContext<ProcessPayment> context)
    {
        var payment = context.Message;
        // The payment saga sends nothing else; whoever else does gets it back as a dead letter.
        if (string.IsNullOrWhiteSpace(payment.PaymentId) || string.IsNullOrWhiteSpace(payment.CustomerId)
            || string.IsNullOrWhiteSpace(payment.Currency) || payment.Amount <= 0)
            throw new InvalidMessageException("A payment to process needs an id, a customer, a currency and an amount above zero.");
        var saga = SagaIdentity.Payment(payment.PaymentId);
        return LedgerBook.EnterAsync(
            database, gateway, saga.ToString("D"), payment, context.ConversationId, saga, context.CancellationToken);
    }
}

/// <summary>The queue of <see cref="ProcessPaymentConsumer"/>.</summary>
internal sealed class ProcessPaymentConsumerDefinition : ConsumerDefinition<ProcessPaymentConsumer>
{
    private readonly LedgerSignal<PaymentGateway> _signal;

    public ProcessPaymentConsumerDefinition(LedgerSignal<PaymentGateway> signal)
    {
        _signal = signal;
        EndpointName = PaymentsModule.ProcessPaymentQueue;
    }

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<ProcessPaymentConsumer> consumerConfigurator,
        IRegistrationContext context) =>
        endpointConfigurator.ConfigureReceive(pipe => pipe.UseFilter(new LedgerWakeFilter(_signal)));
}
