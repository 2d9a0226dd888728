namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A process that publishes committed messages from memory. When it is not renewed, the relay takes its messages over.</summary>
public sealed class OutboxState
{
    /// <summary>The process, for as long as it lives.</summary>
    public Guid OutboxId { get; set; }

    /// <summary>Host (container) of the process.</summary>
    public string HostName { get; set; } = "";

    /// <summary>The operating system's number of the process.</summary>
    public int ProcessId { get; set; }

    /// <summary>When the process started, UTC.</summary>
    public DateTimeOffset Started { get; set; }

    /// <summary>When the process last said that it lives, UTC, by the database's clock.</summary>
    public DateTimeOffset Renewed { get; set; }
}
