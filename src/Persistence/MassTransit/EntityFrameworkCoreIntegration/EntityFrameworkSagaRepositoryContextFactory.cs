using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Gives a saga its instance. Inside a consume with outbox it joins that transaction, otherwise it begins one.</summary>
internal sealed class EntityFrameworkSagaRepositoryContextFactory<TSaga, TDbContext>(
    TDbContext dbContext,
    SagaLoader<TSaga, TDbContext> loader,
    IOptionsMonitor<EntityFrameworkSagaOptions> options
) : ISagaRepositoryContextFactory<TSaga>, ILoadSagaRepositoryContextFactory<TSaga>, IQuerySagaRepositoryContextFactory<TSaga>
    where TSaga : class, ISaga
    where TDbContext : DbContext
{
    public Task Send<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TSaga, T>> next)
        where T : class => InTransactionAsync(context, transaction => next.Send(CreateContext(context, transaction)));

    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TSaga> query, IPipe<SagaRepositoryQueryContext<TSaga, T>> next)
        where T : class =>
        InTransactionAsync(
            context,
            async transaction =>
            {
                var found = await loader.FindAsync(dbContext, query, context.CancellationToken);
                await next.Send(new DefaultSagaRepositoryQueryContext<TSaga, T>(CreateContext(context, transaction), [.. found]));
            }
        );

    public Task<T> Execute<T>(
        Func<LoadSagaRepositoryContext<TSaga>, Task<T>> asyncMethod,
        CancellationToken cancellationToken = default
    )
        where T : class => asyncMethod(new ReadContext(dbContext, loader, cancellationToken));

    public Task<T> Execute<T>(
        Func<QuerySagaRepositoryContext<TSaga>, Task<T>> asyncMethod,
        CancellationToken cancellationToken = default
    )
        where T : class => asyncMethod(new ReadContext(dbContext, loader, cancellationToken));

    public void Probe(ProbeContext context) => context.Add("persistence", "entityFrameworkCore");

    private DbContextSagaRepositoryContext<TSaga, T, TDbContext> CreateContext<T>(
        ConsumeContext<T> context,
        ConsumeTransaction transaction
    )
        where T : class => new(dbContext, context, transaction, loader);

    private async Task InTransactionAsync(ConsumeContext context, Func<ConsumeTransaction, Task> run)
    {
        // A saga in a context of its own, as in a mediator, has a transaction of its own.
        if (
            context.TryGetPayload<IConsumeTransactionContext>(out var outbox)
            && ReferenceEquals(outbox.Transaction.DbContext, dbContext)
        )
        {
            await run(outbox.Transaction);
            return;
        }

        await dbContext.RunOnceAsync(() => InOwnTransactionAsync(context, run));
    }

    private async Task InOwnTransactionAsync(ConsumeContext context, Func<ConsumeTransaction, Task> run)
    {
        var isolationLevel = options.Get(typeof(TSaga).FullName).IsolationLevel;
        await using var transaction = await ConsumeTransaction.BeginAsync(
            dbContext,
            isolationLevel,
            null,
            context.CancellationToken
        );
        await run(transaction);
        await transaction.CommitAsync(context.CancellationToken);
    }

    // What queries from outside a consume see: no transaction, nothing tracked.
    private sealed class ReadContext(
        TDbContext dbContext,
        SagaLoader<TSaga, TDbContext> loader,
        CancellationToken cancellationToken
    )
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
