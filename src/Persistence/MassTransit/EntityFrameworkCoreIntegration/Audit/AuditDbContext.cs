using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace MassTransit.EntityFrameworkCoreIntegration.Audit;

/// <summary>The context of an audit table.</summary>
/// <param name="options">Names the database.</param>
/// <param name="auditTableName">The table.</param>
public class AuditDbContext(DbContextOptions options, string auditTableName) : DbContext(options)
{
    private string AuditTableName => auditTableName;

    /// <inheritdoc />
    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) =>
        optionsBuilder.ReplaceService<IModelCacheKeyFactory, TableModelCacheKeyFactory>();

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfiguration(new AuditMapping(auditTableName));

    // A model for each table: EF Core would use the first one's for all.
    private sealed class TableModelCacheKeyFactory : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) =>
            (context.GetType(), (context as AuditDbContext)?.AuditTableName, designTime);
    }
}
