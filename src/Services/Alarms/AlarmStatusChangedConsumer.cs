using MassTransit;
using Microsoft.Extensions.Options;
using Sagas.Contracts;

namespace Sagas.Services.Alarms;

/// <summary>Writes changes. The newest wins, so that consuming one again changes nothing, and no inbox is needed.</summary>
internal sealed class AlarmStatusChangedConsumer(AlarmWriter writer) : IConsumer<AlarmStatusChanged>
{
    public async Task Consume(ConsumeContext<AlarmStatusChanged> context)
    {
        var change = AlarmChange.Of(context.Message);
        if (!await writer.WriteAsync(change).WaitAsync(context.CancellationToken))
            throw new InvalidMessageException(
                $"Alarm {change.AlarmId} of user {change.UserId} changed at {change.ChangedAt} to another status than "
                    + $"{change.Status}, as an earlier message says."
            );
    }
}

/// <summary>The queue of <see cref="AlarmStatusChangedConsumer"/>.</summary>
internal sealed class AlarmStatusChangedConsumerDefinition : ConsumerDefinition<AlarmStatusChangedConsumer>
{
    private readonly AlarmsOptions _options;

    public AlarmStatusChangedConsumerDefinition(IOptions<AlarmsOptions> options)
    {
        _options = options.Value;
        EndpointName = AlarmsModule.ChangesQueue;
    }

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<AlarmStatusChangedConsumer> consumerConfigurator,
        IRegistrationContext context
    )
    {
        // The queue's exchange is the message's exchange: there is nothing to bind.
        endpointConfigurator.ConfigureConsumeTopology = false;
        // A batch is made of what was taken from the broker and is not acknowledged yet.
        endpointConfigurator.PrefetchCount = _options.PrefetchCount;
    }
}
