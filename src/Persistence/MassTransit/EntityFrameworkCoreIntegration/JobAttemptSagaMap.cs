using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Maps an attempt at a job.</summary>
/// <param name="optimistic">Whether simultaneous changes fail, to be repeated, instead of waiting for each other.</param>
public class JobAttemptSagaMap(bool optimistic) : SagaClassMap<JobAttemptSaga>
{
    /// <inheritdoc/>
    protected override void Configure(EntityTypeBuilder<JobAttemptSaga> entity, ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(entity);
        entity.Ignore(saga => saga.Version).Ignore(saga => saga.RowVersion).UseRowVersion(optimistic);
        entity.HasIndex(saga => new { saga.JobId, saga.RetryAttempt }).IsUnique();
    }
}
