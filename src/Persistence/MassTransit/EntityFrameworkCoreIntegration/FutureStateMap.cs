using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Maps a future: its command, what it waits for and its results.</summary>
/// <param name="optimistic">Whether simultaneous changes fail, to be repeated, instead of waiting for each other.</param>
public class FutureStateMap(bool optimistic) : SagaClassMap<FutureState>
{
    /// <inheritdoc/>
    protected override void Configure(EntityTypeBuilder<FutureState> entity, ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(entity);
        entity.Ignore(future => future.Version).Ignore(future => future.RowVersion).UseRowVersion(optimistic);
        entity.Property(future => future.Command).HasJsonConversion();
        entity.Property(future => future.Pending).HasJsonConversion();
        entity.Property(future => future.Subscriptions).HasJsonConversion();
        entity.Property(future => future.Variables).HasJsonConversion();
        entity.Property(future => future.Results).HasJsonConversion();
        entity.Property(future => future.Faults).HasJsonConversion();
    }
}
