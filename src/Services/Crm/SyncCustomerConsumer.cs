using MassTransit;
using Sagas.Contracts;
using Sagas.Services.Ledger;

namespace Sagas.Services.Crm;

/// <summary>Enters the calls that tell the CRM of customers, those of many messages in one statement.</summary>
/// <remarks>It runs without inbox and outbox: it sends nothing, and entering a call again changes nothing. A retry asked for
/// again finds that the customer has moved on, or the call that the retry had made.</remarks>
internal sealed class SyncCustomerConsumer(SagasDbContext database, CrmTarget crm, LedgerSignal<CrmTarget> signal)
    : IConsumer<Batch<SyncCustomer>>, IConsumer<SyncCustomers>
{
    public Task Consume(ConsumeContext<Batch<SyncCustomer>> context) =>
        EnterAsync(
            context.Message.Select(message => new CrmRequest(
                SagaIdentity.Customer(message.Message.CustomerId), message.ConversationId, message.Message.Retry)),
            context.CancellationToken);

    public Task Consume(ConsumeContext<SyncCustomers> context) =>
        EnterAsync(
            context.Message.CustomerIds.Select(id => new CrmRequest(SagaIdentity.Customer(id), context.ConversationId)),
            context.CancellationToken);

    private async Task EnterAsync(IEnumerable<CrmRequest> requests, CancellationToken cancellation)
    {
        var once = requests.GroupBy(request => request.CorrelationId)
            .Select(customer => customer.First() with { Retry = customer.Any(request => request.Retry) })
            .ToArray();
        await CrmCalls.EnterAsync(database, crm, once, cancellation);
        signal.Raise();
    }
}

/// <summary>The queue of <see cref="SyncCustomerConsumer"/>.</summary>
internal sealed class SyncCustomerConsumerDefinition : ConsumerDefinition<SyncCustomerConsumer>
{
    // A message alone waits as long as this for others; with many waiting, a batch is full at once.
    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(10);

    private const int MostMessages = 200;

    public SyncCustomerConsumerDefinition() => EndpointName = CrmModule.SyncCustomerQueue;

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<SyncCustomerConsumer> consumerConfigurator,
        IRegistrationContext context) =>
        consumerConfigurator.Options<BatchOptions>(options => options.SetMessageLimit(MostMessages).SetTimeLimit(_gather).SetConcurrencyLimit(2));
}
