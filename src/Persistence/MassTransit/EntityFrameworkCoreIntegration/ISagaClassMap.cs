using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Maps a saga's state to its table.</summary>
public interface ISagaClassMap
{
    /// <summary>The saga's state.</summary>
    Type SagaType { get; }

    /// <summary>Adds the saga to a model.</summary>
    /// <param name="model">The model that is being built.</param>
    void Configure(ModelBuilder model);
}

/// <inheritdoc />
/// <typeparam name="TSaga">The saga's state.</typeparam>
public interface ISagaClassMap<TSaga> : ISagaClassMap
    where TSaga : class, ISaga;
