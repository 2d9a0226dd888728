using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Sagas.Persistence;

namespace MassTransit;

/// <summary>
/// Adds the tables of inbox and outbox to a model. The callbacks may give them another name and schema; the names of their
/// columns stay.
/// </summary>
public static class EntityFrameworkOutboxModelExtensions
{
    /// <summary>Adds <c>inbox_state</c>, <c>outbox_message</c> and <c>outbox_instance</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    /// <param name="callback">Configures each table, such as its schema.</param>
    public static void AddTransactionalOutboxEntities(this ModelBuilder modelBuilder, Action<EntityTypeBuilder>? callback = null)
    {
        modelBuilder.AddInboxStateEntity(callback);
        modelBuilder.AddOutboxMessageEntity(callback);
        modelBuilder.AddOutboxStateEntity(callback);
    }

    /// <summary>Adds <c>inbox_state</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    /// <param name="callback">Configures the table.</param>
    public static void AddInboxStateEntity(this ModelBuilder modelBuilder, Action<EntityTypeBuilder<InboxState>>? callback = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var inbox = modelBuilder.Entity<InboxState>();
        inbox.ConfigureInboxStateEntity();
        callback?.Invoke(inbox);
    }

    /// <summary>Adds <c>outbox_message</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    /// <param name="callback">Configures the table.</param>
    public static void AddOutboxMessageEntity(
        this ModelBuilder modelBuilder,
        Action<EntityTypeBuilder<OutboxMessage>>? callback = null
    )
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var message = modelBuilder.Entity<OutboxMessage>();
        message.ConfigureOutboxMessageEntity();
        callback?.Invoke(message);
    }

    /// <summary>Adds <c>outbox_instance</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    /// <param name="callback">Configures the table.</param>
    public static void AddOutboxStateEntity(
        this ModelBuilder modelBuilder,
        Action<EntityTypeBuilder<OutboxState>>? callback = null
    )
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var state = modelBuilder.Entity<OutboxState>();
        state.ConfigureOutboxStateEntity();
        callback?.Invoke(state);
    }

    /// <summary>Configures <c>inbox_state</c>.</summary>
    /// <param name="inbox">The entity.</param>
    public static void ConfigureInboxStateEntity(this EntityTypeBuilder<InboxState> inbox)
    {
        ArgumentNullException.ThrowIfNull(inbox);
        inbox.ToTable("inbox_state");
        inbox.HasKey(row => new { row.MessageId, row.ConsumerId }).HasName("inbox_state_pkey");
        inbox.Property(row => row.Received).HasDefaultValueSql("now()");
        inbox
            .HasIndex(row => row.Received)
            .HasDatabaseName("inbox_state_received")
            .HasMethod("brin")
            .HasStorageParameter("pages_per_range", 16);
        inbox.UseSnakeCaseColumns();
    }

    /// <summary>Configures <c>outbox_message</c>.</summary>
    /// <param name="outbox">The entity.</param>
    public static void ConfigureOutboxMessageEntity(this EntityTypeBuilder<OutboxMessage> outbox)
    {
        ArgumentNullException.ThrowIfNull(outbox);
        outbox.ToTable("outbox_message");
        // Nearly every row is deleted within moments.
        outbox.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.05);
        outbox.HasStorageParameter("autovacuum_vacuum_cost_delay", 0);
        outbox.HasKey(row => row.SequenceNumber).HasName("outbox_message_pkey");
        outbox.Property(row => row.SequenceNumber).UseIdentityAlwaysColumn();
        outbox.Property(row => row.Position).HasDefaultValue(0);
        outbox.Property(row => row.BatchSize).HasDefaultValue(1);
        outbox.Property(row => row.Attempts).HasDefaultValue(0);
        outbox.Property(row => row.EnqueueTime).HasDefaultValueSql("now()");
        outbox.Property(row => row.SentTime).HasDefaultValueSql("now()");
        outbox
            .HasIndex(row => new { row.EnqueueTime, row.SequenceNumber })
            .HasDatabaseName("outbox_message_due")
            .HasFilter("outbox_id IS NULL AND position = 0");
        outbox
            .HasIndex(row => new { row.BatchId, row.Position })
            .HasDatabaseName("outbox_message_batch")
            .HasFilter("position > 0");
        outbox
            .HasIndex(row => row.OutboxId)
            .HasDatabaseName("outbox_message_owner")
            .HasMethod("brin")
            .HasStorageParameter("pages_per_range", 32)
            .HasStorageParameter("autosummarize", true)
            .HasFilter("outbox_id IS NOT NULL");
        outbox
            .HasIndex(row => row.ScheduleTokenId)
            .IsUnique()
            .HasDatabaseName("outbox_message_schedule")
            .HasFilter("schedule_token_id IS NOT NULL");
        outbox.UseSnakeCaseColumns();
    }

    /// <summary>Configures <c>outbox_instance</c>.</summary>
    /// <param name="outbox">The entity.</param>
    public static void ConfigureOutboxStateEntity(this EntityTypeBuilder<OutboxState> outbox)
    {
        ArgumentNullException.ThrowIfNull(outbox);
        outbox.ToTable("outbox_instance");
        outbox.HasKey(row => row.OutboxId).HasName("outbox_instance_pkey");
        outbox.Property(row => row.OutboxId).ValueGeneratedNever();
        outbox.Property(row => row.StartedAt).HasDefaultValueSql("now()");
        outbox.Property(row => row.HeartbeatAt).HasDefaultValueSql("now()");
        outbox.UseSnakeCaseColumns();
    }
}
