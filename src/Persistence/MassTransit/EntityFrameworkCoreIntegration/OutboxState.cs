namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// An instance: a process that publishes committed messages from memory. When its heartbeat stops, the relay takes its messages
/// over.
/// </summary>
public sealed class OutboxState
{
    /// <summary>The instance; a process has a new one at each start.</summary>
    public Guid OutboxId { get; set; }

    /// <summary>Host (container) of the process.</summary>
    public string HostName { get; set; } = "";

    /// <summary>The operating system's number of the process.</summary>
    public int ProcessId { get; set; }

    /// <summary>When the process started, UTC.</summary>
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>The last heartbeat, UTC, by the database's clock.</summary>
    public DateTimeOffset HeartbeatAt { get; set; }
}
