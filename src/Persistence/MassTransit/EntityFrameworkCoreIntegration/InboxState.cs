namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A message that a consumer consumed: what makes a second delivery change nothing.</summary>
public sealed class InboxState
{
    /// <summary>The message's id; for a redelivery, the id of the message first sent.</summary>
    public Guid MessageId { get; set; }

    /// <summary>Hash of receive endpoint, consumer and message type.</summary>
    public Guid ConsumerId { get; set; }

    /// <summary>
    /// The redelivery that the consumer itself asked for and that will be consumed; null when it asked for none.
    /// </summary>
    public int? AwaitingRedelivery { get; set; }

    /// <summary>When it was consumed, UTC.</summary>
    public DateTimeOffset Received { get; set; }
}
