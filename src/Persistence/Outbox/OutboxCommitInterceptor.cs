using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Sagas.Persistence;

/// <summary>Wakes the relay when messages of the bus outbox are committed.</summary>
internal sealed class OutboxCommitInterceptor(OutboxSignal signal) : ISaveChangesInterceptor, IDbTransactionInterceptor
{
    // Contexts are pooled, so the mark that one has messages is kept outside it.
    private static readonly ConditionalWeakTable<DbContext, Expectation> _expecting = [];

    public static void Expect(DbContext dbContext) => _expecting.TryAdd(dbContext, new Expectation());

    /// <summary>Removes the mark of a context whose messages the caller has committed and sends.</summary>
    public static void Forget(DbContext dbContext) => _expecting.Remove(dbContext);

    /// <summary>Whether messages were written in the transaction that the context is in, and are there still.</summary>
    public static bool IsSavedInCurrentTransaction(DbContext dbContext) =>
        _expecting.TryGetValue(dbContext, out var expectation)
        && expectation.SavedIn is { } transaction
        && transaction == dbContext.Database.CurrentTransaction?.TransactionId;

    public int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        if (eventData.Context?.Database.CurrentTransaction is not { } transaction)
            Committed(eventData.Context);
        else if (_expecting.TryGetValue(eventData.Context, out var expectation))
            expectation.SavedIn = transaction.TransactionId;
        return result;
    }

    public ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData,
        int result,
        CancellationToken cancellationToken = default
    ) => new(SavedChanges(eventData, result));

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) =>
        Committed(eventData.Context);

    public Task TransactionCommittedAsync(
        DbTransaction transaction,
        TransactionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Committed(eventData.Context);
        return Task.CompletedTask;
    }

    public void RolledBackToSavepoint(DbTransaction transaction, TransactionEventData eventData) => Undone(eventData.Context);

    public Task RolledBackToSavepointAsync(
        DbTransaction transaction,
        TransactionEventData eventData,
        CancellationToken cancellationToken = default
    )
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
