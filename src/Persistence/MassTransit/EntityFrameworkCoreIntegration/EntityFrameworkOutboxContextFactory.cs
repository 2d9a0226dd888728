using MassTransit.Middleware;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Runs a consumer or saga in a transaction with its inbox row and its outgoing messages, and publishes these after the commit.
/// The transaction is its own, or shared with messages that are consumed at the same time.
/// </summary>
internal sealed partial class EntityFrameworkOutboxContextFactory<TDbContext>(
    IServiceProvider provider,
    GroupedContexts<TDbContext> groupedContexts,
    ConsumeGroups groups,
    OutboxInstance process,
    OutboxPublisher publisher,
    OutboxSignal signal,
    TimeProvider timeProvider,
    IOptions<EntityFrameworkOutboxOptions> options,
    ILogger<EntityFrameworkOutboxContextFactory<TDbContext>> logger
) : IOutboxContextFactory<TDbContext>
    where TDbContext : DbContext
{
    private TDbContext DbContext => field ??= provider.GetRequiredService<TDbContext>();

    public async Task Send<T>(ConsumeContext<T> context, OutboxConsumeOptions consumeOptions, IPipe<OutboxConsumeContext<T>> next)
        where T : class
    {
        var inbox = Inbox(context, consumeOptions);
        var consumer = new GroupedConsumer(consumeOptions.ConsumerType, typeof(T));
        var delivery = new Delivery<T>(context, consumeOptions, next, inbox, consumer);
        if (
            inbox.RedeliveryCount == 0
            && groups.Includes(consumer)
            && groupedContexts.Include(provider)
            && await TryConsumeInGroupAsync(delivery)
        )
            return;
        await DbContext.RunOnceAsync(() => ConsumeAsync(delivery));
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("entityFrameworkOutboxContextFactory");

    // False: the message is to be consumed again, in a transaction of its own.
    private async Task<bool> TryConsumeInGroupAsync<T>(Delivery<T> delivery)
        where T : class
    {
        var (context, inbox) = (delivery.Context, delivery.Inbox);
        var consume = new GroupedConsume(groups, delivery.Consumer, inbox, DbContext.ChangeTracker.HasChanges);
        var outbox = delivery.CreateContext(consume, provider, timeProvider);
        try
        {
            if (!groups.IsSaga(delivery.Consumer.ConsumerType))
                await consume.TakeTurnAsync(typeof(T), inbox.MessageId, context.CancellationToken);
            if (IsLikelyRepeated(delivery) && await groups.WasConsumedAsync(inbox))
            {
                await SkipAsync(delivery);
                return true;
            }

            await consume.RunAsync(() => delivery.Next.Send(outbox));
        }
        catch (Exception) when (consume.HasLeft)
        {
            // What the consumer added to the context before.
            DbContext.ChangeTracker.Clear();
            return false;
        }
        catch (Exception)
        {
            consume.EndTurns();
            if (await WasConsumedAsync(inbox, context.CancellationToken))
            {
                await SkipAsync(delivery);
                return true;
            }

            await outbox.NotifyFaultsAsync();
            throw;
        }
        finally
        {
            consume.EndTurns();
        }

        await CompleteAsync(delivery, outbox, consume);
        return true;
    }

    private async Task ConsumeAsync<T>(Delivery<T> delivery)
        where T : class
    {
        var (context, inbox) = (delivery.Context, delivery.Inbox);
        var deferInbox = inbox.RedeliveryCount == 0 && groups.IsSaga(delivery.Consumer.ConsumerType);
        DbContextOutboxConsumeContext<T> outbox;
        var transaction = await BeginAsync(context.CancellationToken);
        await using (transaction)
        {
            // A consumer may do anything, so its inbox row comes first. All that a saga does is in the transaction, so its inbox
            // row may come with the commit, which saves a round trip; a second delivery is then undone.
            if (deferInbox)
            {
                transaction.DeferInbox(inbox);
            }
            else if (!await transaction.EnterInboxAsync(inbox, context.CancellationToken))
            {
                await SkipAsync(delivery);
                return;
            }

            outbox = delivery.CreateContext(transaction, provider, timeProvider);
            try
            {
                await delivery.Next.Send(outbox);
            }
            catch (Exception)
            {
                await transaction.DisposeAsync();
                if (await HadItsEffectAsync(inbox, deferInbox || outbox.CommitStarted, context.CancellationToken))
                {
                    await SkipAsync(delivery);
                    return;
                }

                await outbox.NotifyFaultsAsync();
                throw;
            }
        }

        await CompleteAsync(delivery, outbox, transaction);
        if (outbox.AddsToCommit)
            groups.Include(delivery.Consumer);
    }

    private async Task CompleteAsync<T>(
        Delivery<T> delivery,
        DbContextOutboxConsumeContext<T> outbox,
        IConsumeTransaction transaction
    )
        where T : class
    {
        if (outbox.ConsumedBefore)
        {
            await SkipAsync(delivery);
            return;
        }

        await PublishAsync(outbox.Committed, delivery.Context.CancellationToken);
        if (transaction.Effects.HasScheduledMessages)
            signal.Set();
    }

    private static InboxEntry Inbox<T>(ConsumeContext<T> context, OutboxConsumeOptions consumeOptions)
        where T : class
    {
        var messageId =
            context.GetOriginalMessageId() ?? throw new MessageException(typeof(T), "MessageId required to use the outbox");
        return new InboxEntry(messageId, consumeOptions.ConsumerId, context.RedeliveryCount());
    }

    // A saga's commit finds a message that was consumed before; looking first spares the others of its group that failure.
    private bool IsLikelyRepeated<T>(Delivery<T> delivery)
        where T : class => delivery.Context.ReceiveContext.Redelivered || !groups.IsSaga(delivery.Consumer.ConsumerType);

    private Task<ConsumeTransaction> BeginAsync(CancellationToken cancellationToken) =>
        ConsumeTransaction.BeginAsync(DbContext, options.Value.IsolationLevel, process, cancellationToken);

    // A saga may reject a message that it consumed before, and a commit whose answer was lost may have happened: the message has
    // had its effect then. For a redelivery the row does not say whether it was consumed.
    private async Task<bool> HadItsEffectAsync(InboxEntry inbox, bool mayBeCommitted, CancellationToken cancellationToken) =>
        inbox.RedeliveryCount == 0 && mayBeCommitted && await WasConsumedAsync(inbox, cancellationToken);

    private async Task PublishAsync(IReadOnlyList<OutboxMessage> committed, CancellationToken cancellationToken)
    {
        try
        {
            await publisher.PublishAsync(committed, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // They are in no publisher's memory now, and this process still owns them.
            process.ReleaseInDoubt(committed[0].BatchId);
            throw;
        }
    }

    private async Task<bool> WasConsumedAsync(InboxEntry inbox, CancellationToken cancellationToken)
    {
        try
        {
            await DbContext.Database.OpenConnectionAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                OutboxTables.Of(DbContext).Inbox.Exists,
                (NpgsqlConnection)DbContext.Database.GetDbConnection()
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = inbox.MessageId });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = inbox.ConsumerId });
            return await command.ExecuteScalarAsync(cancellationToken) is not null;
        }
        catch (Exception exception)
        {
            // Unknown: the message fails with its own exception, and when it comes again, its inbox row is looked for again.
            LogNotLookedUp(exception.GetBaseException().Message);
            return false;
        }
    }

    private async Task SkipAsync<T>(Delivery<T> delivery)
        where T : class
    {
        var (context, consumerType) = (delivery.Context, delivery.Consumer.ConsumerType);
        LogConsumedBefore(context.MessageId, consumerType);
        await context.NotifyConsumed(context, context.ReceiveContext.ElapsedTime, consumerType);
    }

    private sealed record Delivery<T>(
        ConsumeContext<T> Context,
        OutboxConsumeOptions Options,
        IPipe<OutboxConsumeContext<T>> Next,
        InboxEntry Inbox,
        GroupedConsumer Consumer
    )
        where T : class
    {
        public DbContextOutboxConsumeContext<T> CreateContext(
            IConsumeTransaction transaction,
            IServiceProvider provider,
            TimeProvider timeProvider
        ) => new(Context, Options, provider, transaction, Inbox, timeProvider);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Message {MessageId} was consumed before by {Consumer}; skipped")]
    private partial void LogConsumedBefore(Guid? messageId, string consumer);

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Whether a failed message was consumed before could not be looked up: {Reason}"
    )]
    private partial void LogNotLookedUp(string reason);
}
