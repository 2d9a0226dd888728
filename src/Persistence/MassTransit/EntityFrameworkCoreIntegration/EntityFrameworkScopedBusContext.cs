using MassTransit.Clients;
using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// The bus outbox: what is published or sent in a scope outside a consumer is stored by <c>SaveChanges</c>, in its transaction.
/// </summary>
internal sealed class EntityFrameworkScopedBusContext<TBus, TDbContext>(
    TBus bus,
    TDbContext dbContext,
    IClientFactory clientFactory,
    IServiceProvider provider,
    TimeProvider timeProvider,
    ConsumeContext? consumeContext = null
) : ScopedBusContext, OutboxSendContext
    where TBus : class, IBus
    where TDbContext : DbContext
{
    // A context is not made for several threads, but a scope's endpoints are.
    private readonly Lock _lock = new();
    private OutboxMessage? _batchHead;

    public ISendEndpointProvider SendEndpointProvider =>
        field ??= new OutboxSendEndpointProvider(
            this,
            consumeContext is null ? bus : new ScopedConsumeSendEndpointProvider(bus, consumeContext, provider)
        );

    public IPublishEndpoint PublishEndpoint =>
        field ??= new PublishEndpoint(
            new OutboxPublishEndpointProvider(
                this,
                consumeContext is null ? bus : new ScopedConsumePublishEndpointProvider(bus, consumeContext, provider)
            )
        );

    public IScopedClientFactory ClientFactory =>
        field ??= new ScopedClientFactory(
            new ClientFactory(new ScopedClientFactoryContext(clientFactory, provider)),
            consumeContext
        );

    public Task AddSend<T>(SendContext<T> context)
        where T : class
    {
        var message = OutboxMessageFactory.Create(context, timeProvider);
        lock (_lock)
            Add(message);
        return Task.CompletedTask;
    }

    public object? GetService(Type serviceType) => provider.GetService(serviceType);

    private void Add(OutboxMessage message)
    {
        if (message.Delay is { } delay)
        {
            message.EnqueueTime = timeProvider.GetUtcNow() + delay;
        }
        else if (_batchHead is not null && IsUncommitted(_batchHead))
        {
            message.BatchId = _batchHead.BatchId;
            message.Position = _batchHead.BatchSize++;
        }
        else
        {
            _batchHead = message;
        }

        dbContext.Add(message);
        OutboxCommitInterceptor.Expect(dbContext);
    }

    // Messages of one transaction are one batch, also when they are saved one after the other.
    private bool IsUncommitted(OutboxMessage head) =>
        dbContext.Entry(head).State switch
        {
            EntityState.Added => true,
            EntityState.Unchanged or EntityState.Modified => OutboxCommitInterceptor.IsSavedInCurrentTransaction(dbContext),
            _ => false,
        };
}
