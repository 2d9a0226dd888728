using MassTransit;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;

namespace Sagas.Services.Alerts;

/// <summary>Enqueues an alert in the consumer's transaction; the dispatcher delivers it after the commit.</summary>
internal sealed class SendAlertConsumer(SagasDbContext database, AlertReceiver receiver) : IConsumer<SendAlert>
{
    public Task Consume(ConsumeContext<SendAlert> context)
    {
        var alert = context.Message;
        return CallQueue.EnqueueAsync(
            database,
            receiver,
            alert.AlertId.Trim(),
            new AlertRequest(alert.UserId.Trim(), alert.Message),
            context.ConversationId,
            correlationId: null,
            context.CancellationToken
        );
    }
}

/// <summary>The queue of <see cref="SendAlertConsumer"/>.</summary>
internal sealed class SendAlertConsumerDefinition : ConsumerDefinition<SendAlertConsumer>
{
    private readonly CallSignal<AlertReceiver> _signal;

    public SendAlertConsumerDefinition(CallSignal<AlertReceiver> signal)
    {
        _signal = signal;
        EndpointName = AlertsModule.SendAlertQueue;
    }

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<SendAlertConsumer> consumerConfigurator,
        IRegistrationContext context
    ) => endpointConfigurator.ConfigureReceive(pipe => pipe.UseFilter(new CallSignalFilter(_signal)));
}
