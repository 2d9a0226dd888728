using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>The tables of inbox and outbox as a model names them, and the statements on them.</summary>
internal sealed class OutboxTables
{
    private const string Annotation = "Sagas:OutboxTables";

    // Without schema and quotes.
    private readonly string _inboxTable;

    private OutboxTables(IReadOnlyModel model)
    {
        var inbox = model.FindEntityType(typeof(InboxState));
        _inboxTable = inbox?.GetTableName() ?? "inbox_state";
        Inbox = new InboxSql(Quote(_inboxTable, inbox?.GetSchema()));
        Message = model.FindEntityType(typeof(OutboxMessage)) is { } message ? Quote(message) : "outbox_message";
        Instance = model.FindEntityType(typeof(OutboxState)) is { } instance ? Quote(instance) : "outbox_instance";
        Outbox = new OutboxSql(
            Message,
            model.FindEntityType(typeof(SagaTransition)) is { } transition ? Quote(transition) : null
        );
    }

    /// <summary>The statements on the inbox.</summary>
    public InboxSql Inbox { get; }

    /// <summary>The statements on the outbox and the history of sagas.</summary>
    public OutboxSql Outbox { get; }

    /// <summary>Whether a commit failed because the message has had its effect before.</summary>
    public bool IsConsumedBefore(PostgresException exception) =>
        exception.SqlState == PostgresErrorCodes.UniqueViolation && exception.TableName == _inboxTable;

    /// <summary>The outbox's table, quoted.</summary>
    public string Message { get; }

    /// <summary>The instances' table, quoted.</summary>
    public string Instance { get; }

    /// <summary>The tables of a context's model; one that the model lacks has its default name.</summary>
    /// <param name="dbContext">The context.</param>
    public static OutboxTables Of(DbContext dbContext) =>
        dbContext.Model.GetOrAddRuntimeAnnotationValue(Annotation, static model => new OutboxTables(model!), dbContext.Model);

    /// <summary>Checks that a context's model has all of them.</summary>
    /// <param name="dbContext">The context.</param>
    /// <exception cref="ConfigurationException">The model lacks one; the message names the call that adds it.</exception>
    public static void Check(DbContext dbContext)
    {
        Require<InboxState>(dbContext.Model, nameof(EntityFrameworkOutboxModelExtensions.AddInboxStateEntity));
        Require<OutboxMessage>(dbContext.Model, nameof(EntityFrameworkOutboxModelExtensions.AddOutboxMessageEntity));
        Require<OutboxState>(dbContext.Model, nameof(EntityFrameworkOutboxModelExtensions.AddOutboxStateEntity));
    }

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

    private static void Require<TEntity>(IReadOnlyModel model, string addedBy)
    {
        if (model.FindEntityType(typeof(TEntity)) is null)
        {
            throw new ConfigurationException(
                $"The context's model has no {typeof(TEntity).Name}: call modelBuilder.{addedBy}() in its OnModelCreating."
            );
        }
    }
}
