using System.Data.Common;
using System.Runtime.CompilerServices;
using MassTransit.Clients;
using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>The bus outbox: what is published or sent in a scope outside a consumer is stored by <c>SaveChanges</c>, in its transaction.</summary>
internal sealed class EntityFrameworkScopedBusContext<TBus, TDbContext>(
    TBus bus, TDbContext dbContext, IClientFactory clientFactory, IServiceProvider provider, TimeProvider timeProvider) : ScopedBusContext, OutboxSendContext
    where TBus : class, IBus
    where TDbContext : DbContext
{
    private OutboxMessage? _batchHead;

    public ISendEndpointProvider SendEndpointProvider => field ??= new OutboxSendEndpointProvider(this, bus);

    public IPublishEndpoint PublishEndpoint => field ??= new PublishEndpoint(new OutboxPublishEndpointProvider(this, bus));

    public IScopedClientFactory ClientFactory =>
        field ??= new ScopedClientFactory(new ClientFactory(new ScopedClientFactoryContext(clientFactory, provider)), null);

    public Task AddSend<T>(SendContext<T> context)
        where T : class
    {
        var message = OutboxMessageFactory.Create(context, timeProvider);
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
        return Task.CompletedTask;
    }

    public object? GetService(Type serviceType) => provider.GetService(serviceType);

    // Messages of one transaction are one batch, also when they are saved one after the other.
    private bool IsUncommitted(OutboxMessage head) => dbContext.Entry(head).State switch
    {
        EntityState.Added => true,
        EntityState.Unchanged or EntityState.Modified => OutboxCommitInterceptor.IsSavedInCurrentTransaction(dbContext),
        _ => false,
    };
}

/// <summary>Inside a consumer a scope's endpoints are the consumer's, outside they are the bus outbox.</summary>
internal sealed class EntityFrameworkScopedBusContextProvider<TBus, TDbContext>(
    TBus bus,
    TDbContext dbContext,
    Bind<TBus, IClientFactory> clientFactory,
    Bind<TBus, IScopedConsumeContextProvider> busConsumeContext,
    IScopedConsumeContextProvider consumeContext,
    IServiceProvider provider,
    TimeProvider timeProvider) : IScopedBusContextProvider<TBus>
    where TBus : class, IBus
    where TDbContext : DbContext
{
    public ScopedBusContext Context { get; } = busConsumeContext.Value.HasContext
        ? new ConsumeContextScopedBusContext(busConsumeContext.Value.GetContext(), clientFactory.Value)
        : consumeContext.HasContext
            ? new ConsumeContextScopedBusContext<TBus>(bus, consumeContext.GetContext(), clientFactory.Value, provider)
            : new EntityFrameworkScopedBusContext<TBus, TDbContext>(bus, dbContext, clientFactory.Value, provider, timeProvider);
}

/// <summary>Wakes the relay when messages of the bus outbox are committed.</summary>
internal sealed class OutboxCommitInterceptor(OutboxSignal signal) : ISaveChangesInterceptor, IDbTransactionInterceptor
{
    // Contexts are pooled, so the note that one has messages is kept beside it, not in it.
    private static readonly ConditionalWeakTable<DbContext, Expectation> _expecting = [];

    public static void Expect(DbContext dbContext) => _expecting.TryAdd(dbContext, new Expectation());

    /// <summary>Whether messages were written in the transaction that the context is in, and are there still.</summary>
    public static bool IsSavedInCurrentTransaction(DbContext dbContext) =>
        _expecting.TryGetValue(dbContext, out var expectation) && expectation.SavedIn is { } transaction
            && transaction == dbContext.Database.CurrentTransaction?.TransactionId;

    public int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        if (eventData.Context?.Database.CurrentTransaction is not { } transaction)
            Committed(eventData.Context);
        else if (_expecting.TryGetValue(eventData.Context, out var expectation))
            expectation.SavedIn = transaction.TransactionId;
        return result;
    }

    public ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default) =>
        new(SavedChanges(eventData, result));

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => Committed(eventData.Context);

    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Committed(eventData.Context);
        return Task.CompletedTask;
    }

    public void RolledBackToSavepoint(DbTransaction transaction, TransactionEventData eventData) => Undone(eventData.Context);

    public Task RolledBackToSavepointAsync(DbTransaction transaction, TransactionEventData eventData, CancellationToken cancellationToken = default)
    {
        Undone(eventData.Context);
        return Task.CompletedTask;
    }

    private static void Undone(DbContext? dbContext)
    {
        if (dbContext is not null && _expecting.TryGetValue(dbContext, out var expectation))
            expectation.SavedIn = null;
    }

    private void Committed(DbContext? dbContext)
    {
        if (dbContext is not null && _expecting.Remove(dbContext))
            signal.Set();
    }

    private sealed class Expectation
    {
        public Guid? SavedIn { get; set; }
    }
}
