using MassTransit.Context;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Loads, adds and removes the saga of one message. It only changes the <see cref="DbContext"/>: everything is written when the
/// transaction commits, in one go. Each change of a saga leaves a row in its history.
/// </summary>
internal sealed class DbContextSagaRepositoryContext<TSaga, TMessage>(
    DbContext dbContext,
    ConsumeContext<TMessage> context,
    ConsumeEffects effects,
    SagaLoader<TSaga> loader
) : ConsumeContextScope<TMessage>(context), SagaRepositoryContext<TSaga, TMessage>
    where TSaga : class, ISaga
    where TMessage : class
{
    private readonly ConsumeContext<TMessage> _context = context;
    private bool _isInserted;

    public async Task<SagaConsumeContext<TSaga, TMessage>> Add(TSaga instance) => await Create(_context, instance);

    public async Task<SagaConsumeContext<TSaga, TMessage>> Insert(TSaga instance)
    {
        // Now, not with the commit: of several first messages one inserts, and the others wait for it here and find its saga. The
        // savepoint keeps the transaction usable where the row exists.
        dbContext.Database.AutoSavepointsEnabled = true;
        var entry = dbContext.Add(instance);
        try
        {
            await dbContext.SaveChangesAsync(CancellationToken);
            _isInserted = true;
            return await Create(_context, instance);
        }
        catch (DbUpdateException e)
            when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } violation
                && violation.TableName == entry.Metadata.GetTableName()
            )
        {
            entry.State = EntityState.Detached;
            return null!;
        }
    }

    public async Task<SagaConsumeContext<TSaga, TMessage>> Load(Guid correlationId) =>
        await loader.LoadAsync(dbContext, correlationId, CancellationToken) is { } instance
            ? await Create(_context, instance)
            : null!;

    public Task Save(SagaConsumeContext<TSaga> context)
    {
        dbContext.Add(context.Saga);
        return Update(context);
    }

    public Task Update(SagaConsumeContext<TSaga> context)
    {
        var entry = dbContext.Entry(context.Saga);
        if (!dbContext.ChangeTracker.AutoDetectChangesEnabled)
            entry.DetectChanges();
        SagaHistory.Record(entry, context, typeof(TMessage).Name, effects, _isInserted);
        return Task.CompletedTask;
    }

    public Task Delete(SagaConsumeContext<TSaga> context)
    {
        dbContext.Remove(context.Saga);
        return Update(context);
    }

    public Task Discard(SagaConsumeContext<TSaga> context) => Task.CompletedTask;

    public Task Undo(SagaConsumeContext<TSaga> context)
    {
        dbContext.Entry(context.Saga).State = EntityState.Detached;
        return Task.CompletedTask;
    }

    public Task<SagaConsumeContext<TSaga, T>> CreateSagaConsumeContext<T>(
        ConsumeContext<T> consumeContext,
        TSaga instance,
        SagaConsumeContextMode mode
    )
        where T : class => Create(consumeContext, instance);

    private static Task<SagaConsumeContext<TSaga, T>> Create<T>(ConsumeContext<T> consumeContext, TSaga instance)
        where T : class =>
        Task.FromResult<SagaConsumeContext<TSaga, T>>(new DefaultSagaConsumeContext<TSaga, T>(consumeContext, instance));
}
