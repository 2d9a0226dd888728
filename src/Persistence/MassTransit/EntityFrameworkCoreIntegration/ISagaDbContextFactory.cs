using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Gives the repository of a saga its contexts.</summary>
/// <typeparam name="TSaga">The saga's state.</typeparam>
public interface ISagaDbContextFactory<out TSaga>
    where TSaga : class, ISaga
{
    /// <summary>Creates a context for a query from outside a consume.</summary>
    DbContext Create();

    /// <summary>Creates the context of a consume, or gets it from its scope.</summary>
    /// <typeparam name="T">The message.</typeparam>
    /// <param name="context">The consume.</param>
    DbContext CreateScoped<T>(ConsumeContext<T> context)
        where T : class;

    /// <summary>Takes a context back that is no longer needed.</summary>
    /// <param name="dbContext">What <see cref="Create"/> or <see cref="CreateScoped{T}"/> returned.</param>
    ValueTask ReleaseAsync(DbContext dbContext);
}

/// <summary>The context of the scope, which the container disposes.</summary>
internal sealed class ContainerSagaDbContextFactory<TSaga, TDbContext>(IServiceProvider scope) : ISagaDbContextFactory<TSaga>
    where TSaga : class, ISaga
    where TDbContext : DbContext
{
    public DbContext Create() => scope.GetRequiredService<TDbContext>();

    public DbContext CreateScoped<T>(ConsumeContext<T> context)
        where T : class => Create();

    public ValueTask ReleaseAsync(DbContext dbContext) => ValueTask.CompletedTask;
}

/// <summary>A context for each use, from a function.</summary>
internal sealed class DelegateSagaDbContextFactory<TSaga>(Func<DbContext> create) : ISagaDbContextFactory<TSaga>
    where TSaga : class, ISaga
{
    public DbContext Create() => create();

    public DbContext CreateScoped<T>(ConsumeContext<T> context)
        where T : class => create();

    public ValueTask ReleaseAsync(DbContext dbContext) => dbContext.DisposeAsync();
}
