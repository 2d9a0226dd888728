using MassTransit;
using Sagas.Contracts;

namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>Publishes one message for each object of a list, so that each is fetched, retried and postponed alone. The list is
/// acknowledged when the broker has confirmed them all; done twice, it costs a few more fetches.</summary>
internal sealed class ObjectStatusListConsumer : IConsumer<ObjectStatusesRequested>
{
    public Task Consume(ConsumeContext<ObjectStatusesRequested> context) =>
        context.PublishBatch(context.Message.ObjectIds.Select(id => new ObjectStatusRequested(id)), context.CancellationToken);
}

/// <summary>The queue of <see cref="ObjectStatusListConsumer"/>.</summary>
internal sealed class ObjectStatusListConsumerDefinition : ConsumerDefinition<ObjectStatusListConsumer>
{
    // A list may wait for up to a thousand broker confirms.
    private const int MaxConcurrentLists = 4;

    public ObjectStatusListConsumerDefinition() => EndpointName = ObjectStatusModule.ListQueue;

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<ObjectStatusListConsumer> consumerConfigurator,
        IRegistrationContext context
    )
    {
        endpointConfigurator.PrefetchCount = 2 * MaxConcurrentLists;
        endpointConfigurator.ConcurrentMessageLimit = MaxConcurrentLists;
    }
}
