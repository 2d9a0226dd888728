using System.Data;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>How the transactional inbox and outbox work.</summary>
public sealed class EntityFrameworkOutboxOptions
{
    /// <summary>Isolation level of the transaction in which a message is consumed.</summary>
    public IsolationLevel IsolationLevel { get; set; } = IsolationLevel.ReadCommitted;

    /// <summary>How long a consumed message is remembered. A message delivered again later than that is consumed again.</summary>
    public TimeSpan DuplicateDetectionWindow { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How many messages that are consumed at the same time share a transaction at most; 1: none do.</summary>
    public int MaxGroupSize { get; set; } = 64;
}
