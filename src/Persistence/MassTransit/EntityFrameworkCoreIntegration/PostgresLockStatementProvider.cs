using Microsoft.EntityFrameworkCore;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary><c>SELECT … FOR UPDATE</c>.</summary>
public class PostgresLockStatementProvider : ILockStatementProvider
{
    private readonly string? _schemaName;

    /// <summary>Locks rows in the schema that the model or the connection's search path names.</summary>
    /// <param name="enableSchemaCaching">Has no effect: a statement is made once for each model.</param>
    public PostgresLockStatementProvider(bool enableSchemaCaching = true)
        : this(null, enableSchemaCaching) { }

    /// <summary>Locks rows, in a given schema where the model names none.</summary>
    /// <param name="schemaName">The schema; null: that of the connection's search path.</param>
    /// <param name="enableSchemaCaching">Has no effect: a statement is made once for each model.</param>
    public PostgresLockStatementProvider(string? schemaName, bool enableSchemaCaching = true)
    {
        // MassTransit's package may be told to look the table up each time; programs that tell it so compile.
        _ = enableSchemaCaching;
        _schemaName = schemaName;
    }

    /// <inheritdoc />
    /// <exception cref="ConfigurationException">The saga is not in the model.</exception>
    public string GetRowLockStatement<TSaga>(DbContext context)
        where TSaga : class, ISaga
    {
        var entity =
            context.Model.FindEntityType(typeof(TSaga))
            ?? throw new ConfigurationException($"{typeof(TSaga).Name} is not in the model of {context.GetType().Name}.");
        // All columns of the table, also those of complex and owned types, and xmin where it is the row's version. By name: the
        // plan of a prepared SELECT * fails once another version of the program has added a column.
        var table = entity.GetTableMappings().First().Table;
        var columns = string.Join(", ", table.Columns.Select(column => OutboxTables.Quote(column.Name)));
        var key = table.FindColumn(entity.FindProperty(nameof(ISaga.CorrelationId))!)!.Name;
        var name = OutboxTables.Quote(table.Name, table.Schema ?? _schemaName);
        return $"SELECT {columns} FROM {name} WHERE {OutboxTables.Quote(key)} = {{0}} FOR UPDATE";
    }
}
