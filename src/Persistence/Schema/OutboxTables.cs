using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Sagas.Persistence;

/// <summary>The tables of inbox and outbox as a model names them, and the statements on them.</summary>
internal sealed class OutboxTables
{
    private const string Annotation = "Sagas:OutboxTables";

    private OutboxTables(IReadOnlyModel model)
    {
        var inbox = Find<InboxState>(model, nameof(EntityFrameworkOutboxModelExtensions.AddInboxStateEntity));
        InboxTable = inbox.GetTableName()!;
        Inbox = new InboxSql(Quote(inbox));
        Message = Quote(Find<OutboxMessage>(model, nameof(EntityFrameworkOutboxModelExtensions.AddOutboxMessageEntity)));
        Instance = Quote(Find<OutboxState>(model, nameof(EntityFrameworkOutboxModelExtensions.AddOutboxStateEntity)));
        Outbox = new OutboxSql(
            Message,
            model.FindEntityType(typeof(SagaTransition)) is { } transition ? Quote(transition) : null
        );
    }

    /// <summary>The inbox's table, without schema and quotes.</summary>
    public string InboxTable { get; }

    /// <summary>The statements on the inbox.</summary>
    public InboxSql Inbox { get; }

    /// <summary>The statements on the outbox and the history of sagas.</summary>
    public OutboxSql Outbox { get; }

    /// <summary>The outbox's table, quoted.</summary>
    public string Message { get; }

    /// <summary>The instances' table, quoted.</summary>
    public string Instance { get; }

    /// <summary>The tables of a context's model.</summary>
    /// <param name="dbContext">The context.</param>
    /// <exception cref="ConfigurationException">The model lacks one; the message names the call that adds it.</exception>
    public static OutboxTables Of(DbContext dbContext) =>
        dbContext.Model.GetOrAddRuntimeAnnotationValue(Annotation, static model => new OutboxTables(model!), dbContext.Model);

    /// <summary>A table's name with its schema, quoted for SQL.</summary>
    /// <param name="entity">An entity with a table.</param>
    public static string Quote(IReadOnlyEntityType entity) => Quote(entity.GetTableName()!, entity.GetSchema());

    /// <inheritdoc cref="Quote(IReadOnlyEntityType)"/>
    /// <param name="table">The table.</param>
    /// <param name="schema">Its schema; null for that of the connection's search path.</param>
    public static string Quote(string table, string? schema) => schema is null ? Quote(table) : $"{Quote(schema)}.{Quote(table)}";

    /// <summary>A name, quoted for SQL.</summary>
    /// <param name="name">A column's or table's name.</param>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static IReadOnlyEntityType Find<TEntity>(IReadOnlyModel model, string addedBy) =>
        model.FindEntityType(typeof(TEntity))
        ?? throw new ConfigurationException(
            $"The context's model has no {typeof(TEntity).Name}: call modelBuilder.{addedBy}() in its OnModelCreating."
        );
}
