using MassTransit.Audit;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration.Audit;

/// <summary>Writes each message to an audit table, in a transaction of its own.</summary>
/// <param name="contextOptions">Name the database.</param>
/// <param name="auditTableName">The table.</param>
public class EntityFrameworkAuditStore(DbContextOptions contextOptions, string auditTableName) : IMessageAuditStore
{
    /// <summary>A new context, with which a program may create or read the table. The caller disposes it.</summary>
    public DbContext AuditContext => new AuditDbContext(contextOptions, auditTableName);

    async Task IMessageAuditStore.StoreMessage<T>(T message, MessageAuditMetadata metadata)
    {
        await using var dbContext = AuditContext;
        dbContext.Add(AuditRecord.Create(message, metadata));
        await dbContext.SaveChangesAsync();
    }
}
