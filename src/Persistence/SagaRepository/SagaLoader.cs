using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace Sagas.Persistence;

/// <summary>Loads sagas as the repository is configured: with or without a lock, with or without a customized query.</summary>
internal sealed class SagaLoader<TSaga, TDbContext>(
    ConcurrencyMode mode,
    ILockStatementProvider lockStatements,
    Func<IQueryable<TSaga>, IQueryable<TSaga>>? customizeQuery
)
    where TSaga : class, ISaga
    where TDbContext : DbContext
{
    private static readonly Func<TDbContext, Guid, CancellationToken, Task<TSaga?>> _find = EF.CompileAsyncQuery(
        (TDbContext db, Guid correlationId, CancellationToken _) =>
            db.Set<TSaga>().SingleOrDefault(saga => saga.CorrelationId == correlationId)
    );

    private string? _lockStatement;

    public async Task<TSaga?> LoadAsync(TDbContext db, Guid correlationId, CancellationToken cancellationToken)
    {
        if (mode == ConcurrencyMode.Optimistic && customizeQuery is null)
            return await _find(db, correlationId, cancellationToken);
        if (mode == ConcurrencyMode.Pessimistic)
        {
            _lockStatement ??= lockStatements.GetRowLockStatement<TSaga>(db);
            if (customizeQuery is null)
                return (
                    await db.Set<TSaga>().FromSqlRaw(_lockStatement, correlationId).ToListAsync(cancellationToken)
                ).SingleOrDefault();

            // A customized query may join, which FOR UPDATE does not allow everywhere; so the row is locked first.
            await db.Database.ExecuteSqlRawAsync(_lockStatement, [correlationId], cancellationToken);
        }

        return await customizeQuery!(db.Set<TSaga>())
            .SingleOrDefaultAsync(saga => saga.CorrelationId == correlationId, cancellationToken);
    }

    public async Task<IReadOnlyList<Guid>> FindAsync(
        TDbContext db,
        ISagaQuery<TSaga> query,
        CancellationToken cancellationToken
    ) =>
        await db.Set<TSaga>()
            .AsNoTracking()
            .Where(query.FilterExpression)
            .Select(saga => saga.CorrelationId)
            .ToListAsync(cancellationToken);
}
