using MassTransit.Audit;

namespace MassTransit.EntityFrameworkCoreIntegration.Audit;

/// <summary>A message that was sent, published or consumed.</summary>
public class AuditRecord
{
    /// <summary>Order of insertion; assigned by the database.</summary>
    public int AuditRecordId { get; set; }

    /// <summary>The message's id.</summary>
    public Guid? MessageId { get; set; }

    /// <summary>The conversation that it belongs to.</summary>
    public Guid? ConversationId { get; set; }

    /// <summary>Its correlation id.</summary>
    public Guid? CorrelationId { get; set; }

    /// <summary>The correlation id of the message that caused it.</summary>
    public Guid? InitiatorId { get; set; }

    /// <summary>The request that it belongs to.</summary>
    public Guid? RequestId { get; set; }

    /// <summary>When it was sent, UTC.</summary>
    public DateTime? SentTime { get; set; }

    /// <summary>Who sent it.</summary>
    public string? SourceAddress { get; set; }

    /// <summary>Where it was sent to.</summary>
    public string? DestinationAddress { get; set; }

    /// <summary>Where its response goes.</summary>
    public string? ResponseAddress { get; set; }

    /// <summary>Where its fault goes.</summary>
    public string? FaultAddress { get; set; }

    /// <summary>The endpoint that consumed it; null when it was sent or published.</summary>
    public string? InputAddress { get; set; }

    /// <summary><c>Send</c>, <c>Publish</c> or <c>Consume</c>.</summary>
    public string? ContextType { get; set; }

    /// <summary>MassTransit's short name of its type.</summary>
    public string? MessageType { get; set; }

    /// <summary>What the metadata factory of the audit store added.</summary>
    public Dictionary<string, string>? Custom { get; set; }

    /// <summary>Its headers.</summary>
    public Dictionary<string, string>? Headers { get; set; }

    /// <summary>The message; JSON in the table.</summary>
    public object? Message { get; set; }

    internal static AuditRecord Create<T>(T message, MessageAuditMetadata metadata)
        where T : class =>
        new()
        {
            MessageId = metadata.MessageId,
            ConversationId = metadata.ConversationId,
            CorrelationId = metadata.CorrelationId,
            InitiatorId = metadata.InitiatorId,
            RequestId = metadata.RequestId,
            // Always UTC, though not always marked so, which Npgsql refuses.
            SentTime = metadata.SentTime is { } sent ? DateTime.SpecifyKind(sent, DateTimeKind.Utc) : null,
            SourceAddress = metadata.SourceAddress,
            DestinationAddress = metadata.DestinationAddress,
            ResponseAddress = metadata.ResponseAddress,
            FaultAddress = metadata.FaultAddress,
            InputAddress = metadata.InputAddress,
            ContextType = metadata.ContextType,
            MessageType = TypeCache<T>.ShortName,
            Custom = metadata.Custom,
            Headers = metadata.Headers,
            Message = message,
        };
}
