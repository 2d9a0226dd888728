using MassTransit;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.OutboundCalls;

namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>Fetches the status that a message asks for. Acknowledged once the answer is committed; while the API does not answer,
/// the message waits, here or scheduled.</summary>
internal sealed class ObjectStatusConsumer(ObjectStatusFetcher fetcher, IOptions<ObjectStatusOptions> options)
    : IConsumer<ObjectStatusRequested>
{
    public async Task Consume(ConsumeContext<ObjectStatusRequested> context)
    {
        var id = context.Message.ObjectId.Trim();
        var answer = await fetcher.ObserveAsync(id);
        if (answer.Kind == StatusKind.Rejected)
            throw new InvalidMessageException($"{nameof(ObjectStatusRequested)}: {answer.Reason}.");
        if (answer.Kind == StatusKind.Failed)
            await context.Redeliver(Later(context.GetRedeliveryCount()));
    }

    // Near the full delay: a message that comes back early is most likely postponed again.
    private TimeSpan Later(int redeliveries) =>
        Backoff.PartialJitter(
            options.Value.RedeliveryDelay,
            options.Value.MaxRedeliveryDelay,
            redeliveries + 1,
            share: 0.25,
            Random.Shared.NextDouble()
        );
}

/// <summary>The queue of <see cref="ObjectStatusConsumer"/>.</summary>
internal sealed class ObjectStatusConsumerDefinition : ConsumerDefinition<ObjectStatusConsumer>
{
    private readonly ObjectStatusOptions _options;

    public ObjectStatusConsumerDefinition(IOptions<ObjectStatusOptions> options)
    {
        _options = options.Value;
        EndpointName = ObjectStatusModule.ObjectQueue;
    }

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<ObjectStatusConsumer> consumerConfigurator,
        IRegistrationContext context
    )
    {
        endpointConfigurator.PrefetchCount = _options.Prefetch;
        endpointConfigurator.ConcurrentMessageLimit = _options.Consuming;
    }
}
