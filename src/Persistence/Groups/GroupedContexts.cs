using System.Data;
using System.Reflection;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Sagas.Persistence;

/// <summary>
/// Whether consumes with a context may share a transaction: the context must be the same for all, and must do nothing when it
/// saves that statements written without it would miss.
/// </summary>
internal sealed class GroupedContexts<TDbContext>(
    IServiceScopeFactory scopeFactory,
    IOptions<EntityFrameworkOutboxOptions> options
)
    where TDbContext : DbContext
{
    private readonly Lazy<DbContextOptions?> _groupable = new(
        () => Find(scopeFactory, options.Value),
        LazyThreadSafetyMode.PublicationOnly
    );

    /// <summary>Whether consumes in a scope may share a transaction.</summary>
    public bool Include(IServiceProvider scope) =>
        _groupable.Value is { } groupable
        && scope.GetService<DbContextOptions<TDbContext>>() is { } own
        && (ReferenceEquals(own, groupable) || AreEqual(own, groupable));

    private static DbContextOptions? Find(IServiceScopeFactory scopeFactory, EntityFrameworkOutboxOptions options)
    {
        if (
            options.MaxGroupSize <= 1
            || options.IsolationLevel is not (IsolationLevel.ReadCommitted or IsolationLevel.Unspecified)
        )
            return null;
        using var scope = scopeFactory.CreateScope();
        var own = scope.ServiceProvider.GetService<DbContextOptions<TDbContext>>();
        var context = scope.ServiceProvider.GetRequiredService<TDbContext>();
        return own is not null && IsPlain(context) ? own : null;
    }

    private static bool IsPlain(TDbContext context)
    {
        var options = context.GetService<IDbContextOptions>();
        var core = options.FindExtension<CoreOptionsExtension>();
        var interceptors = core?.Interceptors?.ToArray() ?? [];
        return core?.ReplacedServices is null or { Count: 0 }
            && interceptors.Any(interceptor => interceptor is GroupInterceptor)
            && interceptors.All(interceptor => interceptor is GroupInterceptor or OutboxCommitInterceptor)
            && RelationalOptionsExtension.Extract(options).Connection is null
            && !context.Database.CreateExecutionStrategy().RetriesOnFailure
            && !Overrides(context.GetType());
    }

    private static bool Overrides(Type context) =>
        context
            .GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Any(method =>
                method.Name is nameof(DbContext.SaveChanges) or nameof(DbContext.SaveChangesAsync) or "OnConfiguring"
                && method.DeclaringType != typeof(DbContext)
            );

    // Made for each scope, from the same registration.
    private static bool AreEqual(DbContextOptions first, DbContextOptions second) =>
        RelationalOptionsExtension.Extract(first) is { Connection: null, ConnectionString: { } connectionString }
        && RelationalOptionsExtension.Extract(second).ConnectionString == connectionString;
}
