using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A context of futures, whose rows are locked while they are changed.</summary>
/// <param name="options">The context's options; the provider must be Npgsql.</param>
public class FutureSagaDbContext(DbContextOptions options) : SagaDbContext(options)
{
    /// <inheritdoc/>
    protected override IEnumerable<ISagaClassMap> Configurations => [new FutureStateMap(false)];
}

/// <summary>A context of futures, with row versions.</summary>
/// <param name="options">The context's options; the provider must be Npgsql.</param>
public class OptimisticFutureSagaDbContext(DbContextOptions options) : SagaDbContext(options)
{
    /// <inheritdoc/>
    protected override IEnumerable<ISagaClassMap> Configurations => [new FutureStateMap(true)];
}
