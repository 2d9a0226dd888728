using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MassTransit.EntityFrameworkCoreIntegration.Audit;

/// <summary>Maps audit records to a table. Message, headers and custom metadata are JSON text.</summary>
/// <param name="tableName">The table.</param>
/// <param name="schemaName">Its schema; null: that of the model or of the connection's search path.</param>
public class AuditMapping(string tableName, string? schemaName = null) : IEntityTypeConfiguration<AuditRecord>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<AuditRecord> builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (string.IsNullOrWhiteSpace(schemaName))
            builder.ToTable(tableName);
        else
            builder.ToTable(tableName, schemaName);
        builder.HasKey(record => record.AuditRecordId);
        builder.Property(record => record.Custom!).HasJsonConversion();
        builder.Property(record => record.Headers!).HasJsonConversion();
        builder.Property(record => record.Message!).HasJsonConversion();
    }
}
