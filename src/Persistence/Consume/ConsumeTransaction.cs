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
internal sealed class ConsumeTransaction : IAsyncDisposable
{
    private readonly DbContext _dbContext;
    private readonly IDbContextTransaction _transaction;

    // A consumer may publish concurrently.
    private readonly Lock _lock = new();
    private readonly List<OutboxMessage> _messages = [];
    private readonly List<Guid> _cancelled = [];
    private readonly List<SagaTransition> _transitions = [];
    private readonly OutboxInstance? _process;
    private OutboxMessage? _batchHead;
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

    public bool HasScheduledMessages { get; private set; }

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

    /// <summary>The redelivery of the consumed message that the consumer itself has scheduled.</summary>
    public int? AwaitingRedelivery { get; set; }

    public void Add(SagaTransition transition)
    {
        lock (_lock)
            _transitions.Add(transition);
    }

    public void Add(OutboxMessage message)
    {
        lock (_lock)
        {
            if (message.Delay is not null)
            {
                HasScheduledMessages = true;
            }
            else if (_batchHead is null)
            {
                _batchHead = message;
            }
            else
            {
                message.BatchId = _batchHead.BatchId;
                message.Position = _batchHead.BatchSize++;
            }

            _messages.Add(message);
        }
    }

    /// <summary>Removes a scheduled message, also one scheduled in this transaction.</summary>
    public void CancelScheduled(Guid tokenId)
    {
        lock (_lock)
        {
            if (_messages.RemoveAll(message => message.ScheduleTokenId == tokenId) == 0)
                _cancelled.Add(tokenId);
        }
    }

    /// <summary>Writes what was collected and commits.</summary>
    /// <returns>The messages to publish from memory, with their sequence numbers.</returns>
    /// <exception cref="MessageConsumedBeforeException">The deferred inbox row exists.</exception>
    public async Task<IReadOnlyList<OutboxMessage>> CommitAsync(CancellationToken cancellationToken)
    {
        if (_dbContext.ChangeTracker.HasChanges())
        {
            // A failure ends the transaction, so a savepoint would only cost round trips.
            _dbContext.Database.AutoSavepointsEnabled = false;
            await _dbContext.SaveChangesAsync(cancellationToken);
        }

        // One owner for the whole batch, chosen as late as possible: it must be alive at the commit.
        var owner = _process?.OutboxId;
        foreach (var message in _messages.Where(message => message.Delay is null))
            message.OutboxId = owner;
        await using var batch = CreateBatch();
        try
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            for (var index = 0; index < _messages.Count && await reader.ReadAsync(cancellationToken); index++)
                _messages[index].SequenceNumber = reader.GetInt64(0);
            while (await reader.NextResultAsync(cancellationToken)) { }
        }
        catch (PostgresException exception)
            when (exception.SqlState == PostgresErrorCodes.UniqueViolation && exception.TableName == Tables.InboxTable)
        {
            throw new MessageConsumedBeforeException(exception);
        }
        catch when (owner is not null && _batchHead is not null)
        {
            // Whether the commit happened is unknown: a server may report its shutdown after it committed. If it did, no instance
            // has the messages in memory, and the relay must send them.
            _process!.ReleaseInDoubt(_batchHead.BatchId);
            throw;
        }

        return owner is null || _batchHead is null ? [] : _messages.FindAll(message => message.OutboxId is not null);
    }

    private NpgsqlBatch CreateBatch()
    {
        var batch = new NpgsqlBatch(Connection, Transaction);
        if (_deferred is { } deferred)
            batch.BatchCommands.Add(Tables.Inbox.EnterOrFail(deferred, AwaitingRedelivery));
        else if (_entered is { } entered && AwaitingRedelivery is { } redelivery)
            batch.BatchCommands.Add(Tables.Inbox.Await(entered, redelivery));
        if (_transitions.Count > 0)
            batch.BatchCommands.Add(Tables.Outbox.InsertTransitions(_transitions));
        // Before the messages: one of them may be scheduled anew under its token.
        if (_cancelled.Count > 0)
        {
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(Tables.Outbox.DeleteScheduled)
                {
                    Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = [.. _cancelled] } },
                }
            );
        }

        if (_messages.Count > 0)
            batch.BatchCommands.Add(Tables.Outbox.InsertMessages(_messages));
        // A consumer may have hidden that a statement failed. COMMIT would then roll back and report no error, any other
        // statement does.
        if (batch.BatchCommands.Count == 0)
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1"));
        // COMMIT travels with the last statements: it saves a round trip, and with it the time for which rows are locked.
        // When a statement fails, the server skips what follows it, and disposing the transaction rolls back.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        return batch;
    }

    public ValueTask DisposeAsync() => _transaction.DisposeAsync();
}
