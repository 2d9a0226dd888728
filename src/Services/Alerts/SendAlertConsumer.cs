using MassTransit;
using Sagas.Contracts;
using Sagas.Services.Ledger;

namespace Sagas.Services.Alerts;

/// <summary>Enters an alert in the ledger, in the consumer's transaction; the dispatcher delivers it after that.</summary>
internal sealed class SendAlertConsumer(SagasDbContext database, AlertReceiver receiver) : IConsumer<SendAlert>
{
    public Task Consume(ConsumeContext<SendAlert> context)
    {
        var alert = context.Message;
        return LedgerBook.EnterAsync(
            database, receiver, alert.AlertId.Trim(), new AlertRequest(alert.UserId.Trim(), alert.Message), context.ConversationId, correlationId: null,
            context.CancellationToken);
    }
}

/// <summary>The queue of <see cref="SendAlertConsumer"/>.</summary>
internal sealed class SendAlertConsumerDefinition : ConsumerDefinition<SendAlertConsumer>
{
    private readonly LedgerSignal<AlertReceiver> _signal;

    public SendAlertConsumerDefinition(LedgerSignal<AlertReceiver> signal)
    {
        _signal = signal;
        EndpointName = AlertsModule.SendAlertQueue;
    }

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<SendAlertConsumer> consumerConfigurator,
        IRegistrationContext context) =>
        endpointConfigurator.ConfigureReceive(pipe => pipe.UseFilter(new LedgerWakeFilter(_signal)));
}
