using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// Commits a transaction outside a consumer that publishes many messages: one statement inserts them, where <c>SaveChanges</c>
/// takes one each, and this process publishes them from memory.
/// </summary>
public sealed class OutboxCommit
{
    private readonly OutboxInstance _process;
    private readonly OutboxPublisher _publisher;
    private readonly OutboxSignal _signal;

    internal OutboxCommit(OutboxInstance process, OutboxPublisher publisher, OutboxSignal signal) =>
        (_process, _publisher, _signal) = (process, publisher, signal);

    /// <summary>
    /// Commits the transaction with the messages that were published in this scope. They are sent in no order.
    /// </summary>
    /// <param name="dbContext">The scope's context, in a transaction that it is left without.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="InvalidOperationException">The context is in no transaction.</exception>
    public async Task CommitAsync(DbContext dbContext, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dbContext);
        if (
            dbContext.Database.CurrentTransaction?.GetDbTransaction()
            is not NpgsqlTransaction { Connection: { } connection } transaction
        )
            throw new InvalidOperationException("Outbox messages are committed in a transaction: begin one first.");
        var entries = dbContext.ChangeTracker.Entries<OutboxMessage>().Where(entry => entry.State == EntityState.Added).ToArray();
        var messages = Array.ConvertAll(entries, entry => entry.Entity);
        Own(messages);
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (messages.Length > 0)
            batch.BatchCommands.Add(OutboxTables.Of(dbContext).Outbox.InsertMessages(messages));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        try
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await ConsumeEffects.ReadNumbersAsync(reader, messages, cancellationToken);
        }
        catch
        {
            ReleaseInDoubt(messages);
            throw;
        }

        OutboxCommitInterceptor.Forget(dbContext);
        foreach (var entry in entries)
            entry.State = EntityState.Detached;
        await PublishAsync(messages, cancellationToken);
    }

    private void Own(OutboxMessage[] messages)
    {
        var owner = _process.OutboxId;
        foreach (var message in messages)
        {
            (message.BatchId, message.Position, message.BatchSize) = (message.MessageId, 0, 1);
            message.OutboxId = message.Delay is null ? owner : null;
        }
    }

    private async Task PublishAsync(OutboxMessage[] messages, CancellationToken cancellationToken)
    {
        var mine = Array.FindAll(messages, message => message.OutboxId is not null);
        if (mine.Length < messages.Length)
            _signal.Set();
        try
        {
            foreach (var message in mine)
                await _publisher.PublishAsync([message], cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // They are committed: the relay sends those that are in no publisher's memory, and another time those that are.
            ReleaseInDoubt(mine);
        }
    }

    private void ReleaseInDoubt(OutboxMessage[] messages)
    {
        foreach (var message in messages.Where(message => message.OutboxId is not null))
            _process.ReleaseInDoubt(message.BatchId);
    }
}
