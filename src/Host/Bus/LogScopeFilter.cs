using MassTransit;
using Sagas.Contracts;
using LogContext = Serilog.Context.LogContext;

namespace Sagas.Host.Bus;

/// <summary>Adds the message's identifiers to every log line written while it is consumed.</summary>
internal sealed class LogScopeFilter : IFilter<ConsumeContext>
{
    public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        using var conversation = LogContext.PushProperty("ConversationId", context.ConversationId);
        using var correlation = LogContext.PushProperty("CorrelationId", context.CorrelationId ?? Saga(context));
        using var message = LogContext.PushProperty("MessageId", context.MessageId);
        await next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("logScope");

    // Producers outside send no correlation id, but the subject of the message has one.
    private static Guid? Saga(ConsumeContext context) =>
        context.TryGetMessage<PaymentRequested>(out var payment) && payment.Message.PaymentId is { } paymentId
            ? SagaIdentity.Payment(paymentId)
        : context.TryGetMessage<CustomerRegistered>(out var customer) && customer.Message.CustomerId is { } customerId
            ? SagaIdentity.Customer(customerId)
        : null;
}
