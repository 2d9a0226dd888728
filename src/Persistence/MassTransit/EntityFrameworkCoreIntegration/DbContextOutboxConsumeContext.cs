using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A consume whose outgoing messages are collected, to be committed together with its effects.</summary>
internal sealed class DbContextOutboxConsumeContext<TMessage>(
    ConsumeContext<TMessage> context,
    OutboxConsumeOptions options,
    IServiceProvider provider,
    IConsumeTransaction transaction,
    InboxEntry inbox,
    TimeProvider timeProvider
) : OutboxConsumeContextProxy<TMessage>(context, options, provider), IConsumeTransactionContext, DbTransactionContext
    where TMessage : class
{
    public IConsumeTransaction Transaction => transaction;

    public bool AddsToCommit { get; set; }

    public Guid TransactionId => transaction.Id;

    private readonly List<Func<Task>> _faults = [];

    /// <summary>What to publish from memory, once consumed.</summary>
    public IReadOnlyList<OutboxMessage> Committed { get; private set; } = [];

    /// <summary>The commit found that the message had its effect before.</summary>
    public bool ConsumedBefore { get; private set; }

    /// <summary>The consumer had finished: if the message failed nevertheless, its effects may have been committed.</summary>
    public bool CommitStarted { get; private set; }

    // The pipe of MassTransit's outbox can also look up and deliver messages consumed earlier. Here the relay does that, so a
    // consume context is made for messages only that are to be consumed, and is sent through the pipe once.
    public override bool ContinueProcessing { get; set; } = true;

    public override bool IsMessageConsumed => false;

    public override bool IsOutboxDelivered => false;

    public override int ReceiveCount => 1;

    public override long? LastSequenceNumber => null;

    public override async Task SetConsumed()
    {
        CommitStarted = true;
        try
        {
            Committed = await transaction.CommitAsync(CancellationToken);
        }
        catch (MessageConsumedBeforeException)
        {
            ConsumedBefore = true;
        }
    }

    public override Task AddSend<T>(SendContext<T> context)
    {
        var message = OutboxMessageFactory.Create(context, timeProvider);
        if (RedeliveryOf(context) is { } redelivery)
            transaction.Effects.AwaitingRedelivery = redelivery;
        transaction.Effects.Add(message);
        return Task.CompletedTask;
    }

    // A message that failed may have had its effect before and is then not faulted, which is known only after the transaction.
    public override Task NotifyFaulted<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
    {
        _faults.Add(() => base.NotifyFaulted(context, duration, consumerType, exception));
        return Task.CompletedTask;
    }

    /// <summary>The message has failed: notifies the observers.</summary>
    public async Task NotifyFaultsAsync()
    {
        foreach (var notify in _faults)
            await notify();
    }

    public override Task SetDelivered() => throw NotUsed();

    public override Task<List<OutboxMessageContext>> LoadOutboxMessages() => throw NotUsed();

    public override Task NotifyOutboxMessageDelivered(OutboxMessageContext message) => throw NotUsed();

    public override Task RemoveOutboxMessages() => throw NotUsed();

    private static NotSupportedException NotUsed() => new("Messages are delivered by the relay, not by the consume pipe.");

    // The consumer sends itself the message that it consumes: that redelivery is to be consumed, though this delivery completes.
    private int? RedeliveryOf(SendContext context)
    {
        if (context.Headers.Get<int>(MessageHeaders.RedeliveryCount) is not { } count || count <= inbox.RedeliveryCount)
            return null;
        var original = context.Headers.Get<Guid>(MessageHeaders.OriginalMessageId) ?? context.MessageId;
        return original == inbox.MessageId ? count : null;
    }
}
