using System.Data;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// All that consuming one message does to the database. The consumer or saga writes through the <see cref="DbContext"/>; the
/// inbox row, the saga history and the outgoing messages are collected here and written with the commit, in one round trip.
/// </summary>
internal sealed class ConsumeTransaction : IConsumeTransaction, IAsyncDisposable
{
    private readonly DbContext _dbContext;
    private readonly IDbContextTransaction _transaction;

    private readonly OutboxInstance? _process;
    private InboxEntry? _deferred;
    private InboxEntry? _entered;

    private ConsumeTransaction(DbContext dbContext, IDbContextTransaction transaction, OutboxInstance? process)
    {
        _dbContext = dbContext;
        _transaction = transaction;
        _process = process;
    }

    /// <summary>The context whose transaction it is.</summary>
    public DbContext DbContext => _dbContext;

    public Guid Id => _transaction.TransactionId;

    public ConsumeEffects Effects { get; } = new();

    private OutboxTables Tables => field ??= OutboxTables.Of(_dbContext);

    private NpgsqlConnection Connection => (NpgsqlConnection)_dbContext.Database.GetDbConnection();

    private NpgsqlTransaction Transaction => (NpgsqlTransaction)_transaction.GetDbTransaction();

    public static async Task<ConsumeTransaction> BeginAsync(
        DbContext dbContext,
        IsolationLevel isolationLevel,
        OutboxInstance? process,
        CancellationToken cancellationToken
    )
    {
        var transaction = await dbContext.Database.BeginTransactionAsync(isolationLevel, cancellationToken);
        return new ConsumeTransaction(dbContext, transaction, process);
    }

    /// <summary>Leaves the inbox row to the commit, which then fails when the message was consumed before.</summary>
    public void DeferInbox(InboxEntry entry) => _deferred = entry;

    /// <summary>Writes the inbox row now.</summary>
    /// <returns>False when the message was consumed before.</returns>
    public async Task<bool> EnterInboxAsync(InboxEntry entry, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Tables.Inbox.Enter, Connection, Transaction);
        InboxSql.AddParameters(command.Parameters, entry, entry.RedeliveryCount);
        _entered = entry;
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<OutboxMessage>> CommitAsync(CancellationToken cancellationToken)
    {
        if (_dbContext.ChangeTracker.HasChanges())
        {
            // A failure ends the transaction, so a savepoint would only cost round trips.
            _dbContext.Database.AutoSavepointsEnabled = false;
            await _dbContext.SaveChangesAsync(cancellationToken);
        }

        // One owner for the whole batch, chosen as late as possible: it must be alive at the commit.
        Effects.Own(_process?.OutboxId);
        await using var batch = new NpgsqlBatch(Connection, Transaction);
        var messages = Fill(batch);
        try
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await ConsumeEffects.ReadNumbersAsync(reader, messages, cancellationToken);
        }
        catch (PostgresException exception) when (Tables.IsConsumedBefore(exception))
        {
            throw new MessageConsumedBeforeException(exception);
        }
        catch
        {
            Effects.ReleaseInDoubt(_process);
            throw;
        }

        return Effects.Owned();
    }

    private IReadOnlyList<OutboxMessage> Fill(NpgsqlBatch batch)
    {
        var redelivery = Effects.AwaitingRedelivery;
        if (_deferred is { } deferred)
            batch.BatchCommands.Add(Tables.Inbox.EnterOrFail(deferred, redelivery));
        else if (_entered is { } entered && redelivery is { } awaited)
            batch.BatchCommands.Add(Tables.Inbox.Await(entered, awaited));
        var messages = ConsumeEffects.AddTo(batch, Tables, Effects);
        // A consumer may have hidden that a statement failed. COMMIT would then roll back and report no error, any other
        // statement does.
        if (batch.BatchCommands.Count == 0)
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1"));
        // COMMIT travels with the last statements: it saves a round trip, and with it the time for which rows are locked.
        // When a statement fails, the server skips what follows it, and disposing the transaction rolls back.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        return messages;
    }

    public ValueTask DisposeAsync() => _transaction.DisposeAsync();
}
