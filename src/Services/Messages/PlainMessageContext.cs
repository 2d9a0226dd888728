using MassTransit;
using MassTransit.Serialization;

namespace Sagas.Services.Messages;

/// <summary>What is known about a plain JSON message besides its body.</summary>
internal sealed class PlainMessageContext : MessageContext
{
    // The namespace of message ids that are not UUIDs; itself a version 5 UUID of the URL namespace and "urn:sagas:message".
    private static readonly Guid _names = SagaIdentity.Version5(
        new Guid("6ba7b811-9dad-11d1-80b4-00c04fd430c8"),
        "urn:sagas:message"
    );

    private readonly RawMessageContext _raw;

    public PlainMessageContext(RawMessageContext raw, Headers headers, Type type, string? application, DateTimeOffset? sentTime)
    {
        SentTime = sentTime?.UtcDateTime;
        _raw = raw;
        MessageId = Identify(headers, type, application);
        // Everything that follows from this message belongs to one conversation; a producer that names none starts one.
        ConversationId = Parse(headers, "ConversationId") ?? MessageId;
        CorrelationId = Parse(headers, "CorrelationId");
        RequestId = Parse(headers, "RequestId");
        InitiatorId = Parse(headers, "MT-InitiatorId");
    }

    public Guid? MessageId { get; }

    public Guid? RequestId { get; }

    public Guid? CorrelationId { get; }

    public Guid? ConversationId { get; }

    public Guid? InitiatorId { get; }

    public DateTime? ExpirationTime => null;

    // Addresses are MassTransit's own routing: a foreign header must not make this process send somewhere.
    public Uri? SourceAddress => null;

    public Uri? DestinationAddress => _raw.DestinationAddress;

    public Uri? ResponseAddress => null;

    public Uri? FaultAddress => null;

    public DateTime? SentTime { get; }

    public Headers Headers => _raw.Headers;

    public HostInfo Host => MassTransit.Metadata.HostMetadataCache.Empty;

    // The inbox knows a replay by its message id. A UUID is taken as it is; any other name gives the same UUID each time
    // it is seen, apart per type and application because two producers may both count from 1. Without a name each
    // delivery gets a new id, also when the broker delivers it again: equal bodies may be two messages (a customer's data
    // changed and changed back), so the body cannot stand in. What a message does is idempotent by its own identifiers.
    private static Guid Identify(Headers headers, Type type, string? application)
    {
        if (!headers.TryGetHeader("MessageId", out var value) || value is not string name || string.IsNullOrWhiteSpace(name))
            return value is Guid id ? id : NewId.NextGuid();
        return Guid.TryParse(name, out var uuid)
            ? uuid
            : SagaIdentity.Version5(_names, $"{type.Name}\n{application}\n{name.Trim()}");
    }

    private static Guid? Parse(Headers headers, string key) =>
        headers.TryGetHeader(key, out var value) && Guid.TryParse(value as string ?? value?.ToString(), out var id) ? id : null;
}
