using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Gives a saga its instance. Inside a consume with outbox it joins that transaction, otherwise it begins one.</summary>
internal sealed class EntityFrameworkSagaRepositoryContextFactory<TSaga>(
    ISagaDbContextFactory<TSaga> contexts,
    SagaLoader<TSaga> loader
) : ISagaRepositoryContextFactory<TSaga>, ILoadSagaRepositoryContextFactory<TSaga>, IQuerySagaRepositoryContextFactory<TSaga>
    where TSaga : class, ISaga
{
    public Task Send<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TSaga, T>> next)
        where T : class =>
        Grouped(context) is { } consume
            ? next.Send(new GroupedSagaRepositoryContext<TSaga, T>(context, consume))
            : InTransactionAsync(context, (dbContext, effects) => next.Send(CreateContext(dbContext, context, effects)));

    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TSaga> query, IPipe<SagaRepositoryQueryContext<TSaga, T>> next)
        where T : class
    {
        if (Grouped(context) is { } consume)
            throw consume.Leave("it finds its saga by a query");
        return InTransactionAsync(
            context,
            async (dbContext, effects) =>
            {
                var found = await loader.FindAsync(dbContext, query, context.CancellationToken);
                var repository = CreateContext(dbContext, context, effects);
                await next.Send(new DefaultSagaRepositoryQueryContext<TSaga, T>(repository, [.. found]));
            }
        );
    }

    public Task<T> Execute<T>(
        Func<LoadSagaRepositoryContext<TSaga>, Task<T>> asyncMethod,
        CancellationToken cancellationToken = default
    )
        where T : class => ReadAsync(context => asyncMethod(context), cancellationToken);

    public Task<T> Execute<T>(
        Func<QuerySagaRepositoryContext<TSaga>, Task<T>> asyncMethod,
        CancellationToken cancellationToken = default
    )
        where T : class => ReadAsync(context => asyncMethod(context), cancellationToken);

    public void Probe(ProbeContext context) => context.Add("persistence", "entityFrameworkCore");

    private static GroupedConsume? Grouped(PipeContext context) =>
        context.TryGetPayload<IConsumeTransactionContext>(out var outbox) ? outbox.Transaction as GroupedConsume : null;

    private DbContextSagaRepositoryContext<TSaga, T> CreateContext<T>(
        DbContext dbContext,
        ConsumeContext<T> context,
        ConsumeEffects effects
    )
        where T : class => new(dbContext, context, effects, loader);

    private async Task InTransactionAsync<T>(ConsumeContext<T> context, Func<DbContext, ConsumeEffects, Task> run)
        where T : class
    {
        var dbContext = contexts.CreateScoped(context);
        if (
            context.TryGetPayload<IConsumeTransactionContext>(out var outbox)
            && outbox.Transaction is ConsumeTransaction transaction
            && ReferenceEquals(transaction.DbContext, dbContext)
        )
        {
            // The outbox's context, which it still needs.
            await run(dbContext, transaction.Effects);
            return;
        }

        // A saga in a context of its own, as in a mediator, has a transaction of its own.
        try
        {
            await dbContext.RunOnceAsync(() => InOwnTransactionAsync(dbContext, run, context.CancellationToken));
        }
        finally
        {
            await contexts.ReleaseAsync(dbContext);
        }
    }

    private async Task InOwnTransactionAsync(
        DbContext dbContext,
        Func<DbContext, ConsumeEffects, Task> run,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await ConsumeTransaction.BeginAsync(
            dbContext,
            loader.IsolationLevel,
            null,
            cancellationToken
        );
        await run(dbContext, transaction.Effects);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<T> ReadAsync<T>(Func<ReadContext, Task<T>> read, CancellationToken cancellationToken)
    {
        var dbContext = contexts.Create();
        try
        {
            return await read(new ReadContext(dbContext, loader, cancellationToken));
        }
        finally
        {
            await contexts.ReleaseAsync(dbContext);
        }
    }

    // What queries from outside a consume see: no transaction, nothing tracked.
    private sealed class ReadContext(DbContext dbContext, SagaLoader<TSaga> loader, CancellationToken cancellationToken)
        : MassTransit.Middleware.BasePipeContext(cancellationToken),
            LoadSagaRepositoryContext<TSaga>,
            QuerySagaRepositoryContext<TSaga>
    {
        public async Task<TSaga> Load(Guid correlationId) =>
            (
                await dbContext
                    .Set<TSaga>()
                    .AsNoTracking()
                    .SingleOrDefaultAsync(saga => saga.CorrelationId == correlationId, CancellationToken)
            )!;

        public async Task<SagaRepositoryQueryContext<TSaga>> Query(
            ISagaQuery<TSaga> query,
            CancellationToken cancellationToken
        ) => new DefaultSagaRepositoryQueryContext<TSaga>(this, [.. await loader.FindAsync(dbContext, query, cancellationToken)]);
    }
}
