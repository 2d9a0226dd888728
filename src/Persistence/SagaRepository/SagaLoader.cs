using System.Data;
using System.Runtime.CompilerServices;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Sagas.Persistence;

/// <summary>Loads sagas as the repository is configured: with or without a lock, with or without a customized query.</summary>
internal sealed class SagaLoader<TSaga>(
    ConcurrencyMode mode,
    IsolationLevel isolationLevel,
    ILockStatementProvider lockStatements,
    Func<IQueryable<TSaga>, IQueryable<TSaga>>? customizeQuery
)
    where TSaga : class, ISaga
{
    // A context type may have several models, such as one per tenant, and a query is compiled for one.
    private readonly ConditionalWeakTable<IModel, Find> _finds = [];
    private readonly ConditionalWeakTable<IModel, string> _lockStatements = [];

    /// <summary>The level of a transaction that the repository begins itself.</summary>
    public IsolationLevel IsolationLevel => isolationLevel;

    private delegate Task<TSaga?> Find(DbContext db, Guid correlationId, CancellationToken cancellationToken);

    public async Task<TSaga?> LoadAsync(DbContext db, Guid correlationId, CancellationToken cancellationToken)
    {
        if (mode == ConcurrencyMode.Optimistic && customizeQuery is null)
            return await _finds.GetValue(db.Model, _ => Compile())(db, correlationId, cancellationToken);
        if (mode == ConcurrencyMode.Pessimistic)
        {
            var statement = _lockStatements.GetValue(db.Model, _ => lockStatements.GetRowLockStatement<TSaga>(db));
            if (customizeQuery is null)
                return (
                    await db.Set<TSaga>().FromSqlRaw(statement, correlationId).AsTracking().ToListAsync(cancellationToken)
                ).SingleOrDefault();

            // A customized query may join, which FOR UPDATE does not allow everywhere; so the row is locked first.
            await db.Database.ExecuteSqlRawAsync(statement, [correlationId], cancellationToken);
        }

        return await customizeQuery!(db.Set<TSaga>().AsTracking())
            .SingleOrDefaultAsync(saga => saga.CorrelationId == correlationId, cancellationToken);
    }

    // Tracked, also by a context that tracks nothing by default: only what is tracked is saved.
    private static Find Compile() =>
        new(
            EF.CompileAsyncQuery(
                (DbContext db, Guid correlationId, CancellationToken _) =>
                    db.Set<TSaga>().AsTracking().SingleOrDefault(saga => saga.CorrelationId == correlationId)
            )
        );

    public async Task<IReadOnlyList<Guid>> FindAsync(
        DbContext db,
        ISagaQuery<TSaga> query,
        CancellationToken cancellationToken
    ) =>
        await db.Set<TSaga>()
            .AsNoTracking()
            .Where(query.FilterExpression)
            .Select(saga => saga.CorrelationId)
            .ToListAsync(cancellationToken);
}
