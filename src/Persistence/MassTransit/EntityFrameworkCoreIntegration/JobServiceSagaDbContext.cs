using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A context of the job service's sagas, whose rows are locked while they are changed.</summary>
/// <param name="options">The context's options; the provider must be Npgsql.</param>
public class JobServiceSagaDbContext(DbContextOptions options) : SagaDbContext(options)
{
    /// <inheritdoc/>
    protected override IEnumerable<ISagaClassMap> Configurations =>
        [new JobTypeSagaMap(false), new JobSagaMap(false), new JobAttemptSagaMap(false)];
}

/// <summary>A context of the job service's sagas, with row versions.</summary>
/// <param name="options">The context's options; the provider must be Npgsql.</param>
public class OptimisticJobServiceSagaDbContext(DbContextOptions options) : SagaDbContext(options)
{
    /// <inheritdoc/>
    protected override IEnumerable<ISagaClassMap> Configurations =>
        [new JobTypeSagaMap(true), new JobSagaMap(true), new JobAttemptSagaMap(true)];
}
