using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>A context that neither tracks nor detects changes unless told so.</summary>
internal sealed class QuietContext : CounterContext
{
    public QuietContext(DbContextOptions<QuietContext> options)
        : base(options) =>
        ChangeTracker.AutoDetectChangesEnabled = ChangeTracker.QueryTrackingBehavior == QueryTrackingBehavior.NoTracking;
}

/// <summary>A context with a model for each tenant, whose tables are in a schema of its own.</summary>
internal sealed class TenantContext(DbContextOptions<TenantContext> options) : CounterContext(options)
{
    public static readonly string[] Tenants = ["first", "second"];

    /// <summary>The tenant of contexts created from now on.</summary>
    public static string Current { get; set; } = Tenants[0];

    public string Tenant { get; } = Current;

    public async Task<bool> CreateTablesAsync()
    {
        await this.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();
        return true;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(Tenant);
        base.OnModelCreating(modelBuilder);
    }
}

internal static class TenantModels
{
    public static void UseTenantModels(this DbContextOptionsBuilder options) =>
        options.ReplaceService<IModelCacheKeyFactory, KeyByTenant>();

    private sealed class KeyByTenant : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => ((TenantContext)context).Tenant + designTime;
    }
}
