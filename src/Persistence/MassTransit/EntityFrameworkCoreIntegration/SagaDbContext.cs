using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A context whose sagas are mapped by the class maps in <see cref="Configurations"/>.</summary>
/// <param name="options">The context's options; the provider must be Npgsql.</param>
public abstract class SagaDbContext(DbContextOptions options) : DbContext(options)
{
    /// <summary>The maps of the sagas that this context holds.</summary>
    protected abstract IEnumerable<ISagaClassMap> Configurations { get; }

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var configuration in Configurations)
            configuration.Configure(modelBuilder);
    }
}
