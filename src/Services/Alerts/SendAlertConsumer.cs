using MassTransit;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;

namespace Sagas.Services.Alerts;

/// <summary>Enqueues an alert in the consumer's transaction; the dispatcher delivers it after the commit.</summary>
internal sealed class SendAlertConsumer(SagasDbContext database, AlertReceiver receiver) : IConsumer<SendAlert>
{
    public async Task Consume(ConsumeContext<SendAlert> context)
    {
        var (alertId, cancellationToken) = (context.Message.AlertId.Trim(), context.CancellationToken);
        var request = new AlertRequest(context.Message.UserId.Trim(), context.Message.Message);
        if (CallQueue.TryEnqueueWithCommit(context, receiver, alertId, request, correlationId: null))
            return;
        var isNew = await CallQueue.EnqueueAsync(
            database,
            receiver,
            alertId,
            request,
            context.ConversationId,
            correlationId: null,
            cancellationToken
        );
        if (!isNew && await CallConflict.ExistsAsync(database, receiver, alertId, request, cancellationToken))
            throw new InvalidMessageException(
                $"Alert {alertId} was requested before for another user or with another text; give this one an id of its own."
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
