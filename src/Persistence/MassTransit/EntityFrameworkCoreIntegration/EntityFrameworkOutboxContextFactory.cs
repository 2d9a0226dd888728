using MassTransit.Middleware;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Runs a consumer or saga in one transaction with its inbox row and its outgoing messages, and publishes these after the commit.
/// </summary>
internal sealed partial class EntityFrameworkOutboxContextFactory<TDbContext>(
    TDbContext dbContext,
    IServiceProvider provider,
    OutboxInstance process,
    OutboxPublisher publisher,
    OutboxSignal signal,
    TimeProvider timeProvider,
    IEnumerable<EntityFrameworkSaga> sagas,
    IOptions<EntityFrameworkOutboxOptions> options,
    ILogger<EntityFrameworkOutboxContextFactory<TDbContext>> logger
) : IOutboxContextFactory<TDbContext>
    where TDbContext : DbContext
{
    public Task Send<T>(ConsumeContext<T> context, OutboxConsumeOptions consumeOptions, IPipe<OutboxConsumeContext<T>> next)
        where T : class => dbContext.RunOnceAsync(() => ConsumeAsync(context, consumeOptions, next));

    public void Probe(ProbeContext context) => context.CreateFilterScope("entityFrameworkOutboxContextFactory");

    private async Task ConsumeAsync<T>(
        ConsumeContext<T> context,
        OutboxConsumeOptions consumeOptions,
        IPipe<OutboxConsumeContext<T>> next
    )
        where T : class
    {
        var inbox = Inbox(context, consumeOptions);
        var deferInbox = MayDeferInbox(inbox, consumeOptions);
        DbContextOutboxConsumeContext<T> outbox;
        bool scheduled;
        var transaction = await BeginAsync(context.CancellationToken);
        await using (transaction)
        {
            if (deferInbox)
            {
                transaction.DeferInbox(inbox);
            }
            else if (!await transaction.EnterInboxAsync(inbox, context.CancellationToken))
            {
                await SkipAsync(context, consumeOptions);
                return;
            }

            outbox = new DbContextOutboxConsumeContext<T>(context, consumeOptions, provider, transaction, inbox, timeProvider);
            try
            {
                await next.Send(outbox);
            }
            catch (Exception)
            {
                await transaction.DisposeAsync();
                if (await HadItsEffectAsync(inbox, deferInbox || outbox.CommitStarted, context.CancellationToken))
                {
                    await SkipAsync(context, consumeOptions);
                    return;
                }

                await outbox.NotifyFaultsAsync();
                throw;
            }

            scheduled = transaction.HasScheduledMessages;
        }

        if (outbox.ConsumedBefore)
        {
            await SkipAsync(context, consumeOptions);
            return;
        }

        await PublishAsync(outbox.Committed, context.CancellationToken);
        if (scheduled)
            signal.Set();
    }

    private static InboxEntry Inbox<T>(ConsumeContext<T> context, OutboxConsumeOptions consumeOptions)
        where T : class
    {
        var messageId =
            context.GetOriginalMessageId() ?? throw new MessageException(typeof(T), "MessageId required to use the outbox");
        return new InboxEntry(messageId, consumeOptions.ConsumerId, context.RedeliveryCount());
    }

    // A consumer may do anything, so its inbox row comes first. All that a saga does is in the transaction, so its inbox row may
    // come with the commit, which saves a round trip; a second delivery is then undone.
    private bool MayDeferInbox(InboxEntry inbox, OutboxConsumeOptions consumeOptions) =>
        inbox.RedeliveryCount == 0 && sagas.Any(saga => saga.Name == consumeOptions.ConsumerType);

    private Task<ConsumeTransaction> BeginAsync(CancellationToken cancellationToken) =>
        ConsumeTransaction.BeginAsync(dbContext, options.Value.IsolationLevel, process, cancellationToken);

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
            await dbContext.Database.OpenConnectionAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                OutboxTables.Of(dbContext).Inbox.Exists,
                (NpgsqlConnection)dbContext.Database.GetDbConnection()
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

    private async Task SkipAsync<T>(ConsumeContext<T> context, OutboxConsumeOptions consumeOptions)
        where T : class
    {
        LogConsumedBefore(context.MessageId, consumeOptions.ConsumerType);
        await context.NotifyConsumed(context, context.ReceiveContext.ElapsedTime, consumeOptions.ConsumerType);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Message {MessageId} was consumed before by {Consumer}; skipped")]
    private partial void LogConsumedBefore(Guid? messageId, string consumer);

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Whether a failed message was consumed before could not be looked up: {Reason}"
    )]
    private partial void LogNotLookedUp(string reason);
}
