using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Maps a job: what was submitted and what became of it.</summary>
/// <param name="optimistic">Whether simultaneous changes fail, to be repeated, instead of waiting for each other.</param>
public class JobSagaMap(bool optimistic) : SagaClassMap<JobSaga>
{
    /// <inheritdoc/>
    protected override void Configure(EntityTypeBuilder<JobSaga> entity, ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(entity);
        entity.Ignore(saga => saga.Version).Ignore(saga => saga.RowVersion).UseRowVersion(optimistic);
        entity.Property(saga => saga.Job).HasJsonConversion();
        entity.Property(saga => saga.JobState).HasJsonConversion();
        entity.Property(saga => saga.JobProperties).HasJsonConversion();
        entity.Property(saga => saga.IncompleteAttempts).HasJsonConversion();
    }
}
