using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary><c>SELECT … FOR UPDATE</c>.</summary>
public sealed class PostgresLockStatementProvider : ILockStatementProvider
{
    /// <inheritdoc />
    /// <exception cref="ConfigurationException">The saga is not in the model.</exception>
    public string GetRowLockStatement<TSaga>(DbContext context)
        where TSaga : class, ISaga
    {
        var entity =
            context.Model.FindEntityType(typeof(TSaga))
            ?? throw new ConfigurationException($"{typeof(TSaga).Name} is not in the model of {context.GetType().Name}.");
        var table = entity.GetSchemaQualifiedTableName()!.Replace(".", "\".\"", StringComparison.Ordinal);
        var store = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
        var columns = string.Join(", ", entity.GetProperties().Select(property => $"\"{property.GetColumnName(store)}\""));
        var key = entity.FindProperty(nameof(ISaga.CorrelationId))!.GetColumnName(store);
        return $"SELECT {columns} FROM \"{table}\" WHERE \"{key}\" = {{0}} FOR UPDATE";
    }
}
