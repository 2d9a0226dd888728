namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// A committed message that the broker has not confirmed yet: being published, waiting for the relay, or due later.
/// </summary>
public sealed class OutboxMessage
{
    /// <summary>Order of insertion; assigned by the database.</summary>
    public long SequenceNumber { get; set; }

    /// <summary>The MessageId it is sent with, on every attempt.</summary>
    public Guid MessageId { get; set; }

    /// <summary>The instance publishing it from memory; null when the relay sends it.</summary>
    public Guid? OutboxId { get; set; }

    /// <summary>Messages of one transaction that are sent in order share it.</summary>
    public Guid BatchId { get; set; }

    /// <summary>Place within the batch, from 0.</summary>
    public int Position { get; set; }

    /// <summary>How many messages the batch has; set on its first message.</summary>
    public int BatchSize { get; set; } = 1;

    /// <summary>When it is due, UTC, by the database's clock; unset: immediately.</summary>
    public DateTimeOffset EnqueueTime { get; set; }

    /// <summary>When the producer published it, UTC.</summary>
    public DateTimeOffset SentTime { get; set; }

    /// <summary>After this time, UTC, it is not sent any more.</summary>
    public DateTimeOffset? ExpirationTime { get; set; }

    /// <summary>Names a scheduled message, to cancel it or pull it forward.</summary>
    public Guid? ScheduleTokenId { get; set; }

    /// <summary>The conversation that it belongs to.</summary>
    public Guid? ConversationId { get; set; }

    /// <summary>The saga or thing that it is about.</summary>
    public Guid? CorrelationId { get; set; }

    /// <summary>Correlation id of the message that led to it.</summary>
    public Guid? InitiatorId { get; set; }

    /// <summary>The request that it answers.</summary>
    public Guid? RequestId { get; set; }

    /// <summary>Who sends it.</summary>
    public string? SourceAddress { get; set; }

    /// <summary>The exchange or queue that it is sent to.</summary>
    public string DestinationAddress { get; set; } = "";

    /// <summary>Where answers go.</summary>
    public string? ResponseAddress { get; set; }

    /// <summary>Where faults go.</summary>
    public string? FaultAddress { get; set; }

    /// <summary>Message type URNs, separated by semicolons.</summary>
    public string MessageType { get; set; } = "";

    /// <summary>Media type of the body.</summary>
    public string ContentType { get; set; } = "";

    /// <summary>Transport headers, JSON.</summary>
    public string? Headers { get; set; }

    /// <summary>Transport properties such as the routing key, JSON.</summary>
    public string? Properties { get; set; }

    /// <summary>The body as it is sent.</summary>
    public string Body { get; set; } = "";

    /// <summary>How often sending failed.</summary>
    public int Attempts { get; set; }

    /// <summary>Why sending failed last.</summary>
    public string? LastError { get; set; }

    /// <summary>
    /// How long from now it is due; known only where the message is created, and turned into <see cref="EnqueueTime"/> by the
    /// database.
    /// </summary>
    internal TimeSpan? Delay { get; set; }
}
