using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>Saving many messages of the bus outbox at once.</summary>
public static class OutboxSaveExtensions
{
    /// <summary>
    /// Inserts the messages published in this scope by one statement, where <c>SaveChanges</c> takes one each, and forgets them.
    /// They are sent in no order, and lost when the transaction is not committed: for contexts that do not outlive their
    /// transaction.
    /// </summary>
    /// <param name="dbContext">The scope's context, in a transaction.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="InvalidOperationException">The context is in no transaction.</exception>
    public static async Task SaveOutboxMessagesAsync(this DbContext dbContext, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dbContext);
        if (
            dbContext.Database.CurrentTransaction?.GetDbTransaction()
            is not NpgsqlTransaction { Connection: { } connection } transaction
        )
            throw new InvalidOperationException("Outbox messages are saved in a transaction: begin one first.");
        var entries = dbContext.ChangeTracker.Entries<OutboxMessage>().Where(entry => entry.State == EntityState.Added).ToArray();
        if (entries.Length == 0)
            return;
        foreach (var message in entries.Select(entry => entry.Entity))
            (message.BatchId, message.Position, message.BatchSize) = (message.MessageId, 0, 1);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(OutboxTables.Of(dbContext).Outbox.InsertMessages([.. entries.Select(entry => entry.Entity)]));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        foreach (var entry in entries)
            entry.State = EntityState.Detached;
    }
}
