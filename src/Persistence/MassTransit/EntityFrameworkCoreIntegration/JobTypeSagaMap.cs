using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Maps a job type: its limits, its instances and the jobs that run.</summary>
/// <param name="optimistic">Whether simultaneous changes fail, to be repeated, instead of waiting for each other.</param>
public class JobTypeSagaMap(bool optimistic) : SagaClassMap<JobTypeSaga>
{
    /// <inheritdoc/>
    protected override void Configure(EntityTypeBuilder<JobTypeSaga> entity, ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(entity);
        entity.Ignore(saga => saga.Version).Ignore(saga => saga.RowVersion).UseRowVersion(optimistic);
        entity.Property(saga => saga.ActiveJobs).HasJsonConversion();
        entity.Property(saga => saga.Instances).HasJsonConversion();
        entity.Property(saga => saga.Properties).HasJsonConversion();
    }
}
