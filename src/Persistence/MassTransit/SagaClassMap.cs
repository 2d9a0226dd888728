using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MassTransit;

/// <summary>Maps a saga's state to its table. The primary key is the correlation id, which the saga assigns.</summary>
/// <typeparam name="TSaga">The saga's state.</typeparam>
public abstract class SagaClassMap<TSaga> : ISagaClassMap<TSaga>
    where TSaga : class, ISaga
{
    Type ISagaClassMap.SagaType => typeof(TSaga);

    /// <inheritdoc/>
    public virtual void Configure(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var entity = model.Entity<TSaga>();
        entity.HasKey(saga => saga.CorrelationId);
        entity.Property(saga => saga.CorrelationId).ValueGeneratedNever();
        Configure(entity, model);
    }

    /// <summary>Maps what is particular to this saga.</summary>
    /// <param name="entity">The saga's entity.</param>
    /// <param name="model">The whole model.</param>
    protected virtual void Configure(EntityTypeBuilder<TSaga> entity, ModelBuilder model) { }
}
