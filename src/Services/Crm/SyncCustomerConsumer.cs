using MassTransit;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;

namespace Sagas.Services.Crm;

/// <summary>Enqueues the calls that send customers to the CRM, those of many messages at once.</summary>
/// <remarks>It runs without inbox and outbox: it sends nothing, and enqueuing a call again changes nothing. A retry delivered
/// again finds that the customer is no longer syncing, or that the call is open.</remarks>
internal sealed class SyncCustomerConsumer(SagasDbContext database, CrmTarget crm, CallSignal<CrmTarget> signal)
    : IConsumer<Batch<SyncCustomer>>,
        IConsumer<SyncCustomers>
{
    public Task Consume(ConsumeContext<Batch<SyncCustomer>> context) =>
        EnqueueAsync(
            context.Message.Select(message => new CrmRequest(
                SagaIdentity.Customer(message.Message.CustomerId),
                message.ConversationId,
                message.Message.Retry
            )),
            context.CancellationToken
        );

    public Task Consume(ConsumeContext<SyncCustomers> context) =>
        EnqueueAsync(
            context.Message.CustomerIds.Select(id => new CrmRequest(SagaIdentity.Customer(id), context.ConversationId)),
            context.CancellationToken
        );

    private async Task EnqueueAsync(IEnumerable<CrmRequest> requests, CancellationToken cancellationToken)
    {
        var once = requests
            .GroupBy(request => request.CorrelationId)
            .Select(customer => customer.First() with { Retry = customer.Any(request => request.Retry) })
            .ToArray();
        await CrmCalls.EnqueueAsync(database, crm, once, cancellationToken);
        signal.Raise();
    }
}

/// <summary>The queue of <see cref="SyncCustomerConsumer"/>.</summary>
internal sealed class SyncCustomerConsumerDefinition : ConsumerDefinition<SyncCustomerConsumer>
{
    // A message alone waits as long as this for others; with many waiting, a batch is full at once.
    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(10);

    private const int MaxMessages = 200;

    public SyncCustomerConsumerDefinition() => EndpointName = CrmModule.SyncCustomerQueue;

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<SyncCustomerConsumer> consumerConfigurator,
        IRegistrationContext context
    ) =>
        consumerConfigurator.Options<BatchOptions>(options =>
            options.SetMessageLimit(MaxMessages).SetTimeLimit(_gather).SetConcurrencyLimit(2)
        );
}
