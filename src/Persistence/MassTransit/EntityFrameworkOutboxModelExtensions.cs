using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace MassTransit;

/// <summary>Adds the tables of inbox and outbox to a model.</summary>
public static class EntityFrameworkOutboxModelExtensions
{
    /// <summary>Adds <c>inbox_state</c>, <c>outbox_message</c> and <c>outbox_instance</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    public static void AddTransactionalOutboxEntities(this ModelBuilder modelBuilder)
    {
        modelBuilder.AddInboxStateEntity();
        modelBuilder.AddOutboxMessageEntity();
        modelBuilder.AddOutboxStateEntity();
    }

    /// <summary>Adds <c>inbox_state</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    public static void AddInboxStateEntity(this ModelBuilder modelBuilder)
    {
        var inbox = modelBuilder.Entity<InboxState>().ToTable("inbox_state");
        inbox.HasKey(row => new { row.MessageId, row.ConsumerId });
        inbox.Property(row => row.Received).HasDefaultValueSql("now()");
        inbox.HasIndex(row => row.Received).HasDatabaseName("inbox_state_received").HasMethod("brin");
    }

    /// <summary>Adds <c>outbox_message</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    public static void AddOutboxMessageEntity(this ModelBuilder modelBuilder)
    {
        var message = modelBuilder.Entity<OutboxMessage>().ToTable("outbox_message");
        message.HasKey(row => row.SequenceNumber);
        message.Property(row => row.SequenceNumber).UseIdentityAlwaysColumn();
        message.Property(row => row.Position).HasDefaultValue(0);
        message.Property(row => row.BatchSize).HasDefaultValue(1);
        message.Property(row => row.Attempts).HasDefaultValue(0);
        message.Property(row => row.EnqueueTime).HasDefaultValueSql("now()");
        message.Property(row => row.SentTime).HasDefaultValueSql("now()");
        message
            .HasIndex(row => new { row.EnqueueTime, row.SequenceNumber })
            .HasDatabaseName("outbox_message_due")
            .HasFilter("outbox_id IS NULL AND position = 0");
        message
            .HasIndex(row => new { row.BatchId, row.Position })
            .HasDatabaseName("outbox_message_batch")
            .HasFilter("position > 0");
        message
            .HasIndex(row => row.OutboxId)
            .HasDatabaseName("outbox_message_owner")
            .HasMethod("brin")
            .HasFilter("outbox_id IS NOT NULL");
        message
            .HasIndex(row => row.ScheduleTokenId)
            .IsUnique()
            .HasDatabaseName("outbox_message_schedule")
            .HasFilter("schedule_token_id IS NOT NULL");
    }

    /// <summary>Adds <c>outbox_instance</c>.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    public static void AddOutboxStateEntity(this ModelBuilder modelBuilder)
    {
        var state = modelBuilder.Entity<OutboxState>().ToTable("outbox_instance");
        state.HasKey(row => row.OutboxId);
        state.Property(row => row.OutboxId).ValueGeneratedNever();
        state.Property(row => row.StartedAt).HasDefaultValueSql("now()");
        state.Property(row => row.HeartbeatAt).HasDefaultValueSql("now()");
    }
}
