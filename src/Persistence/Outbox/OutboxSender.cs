using System.Collections.Concurrent;
using System.Net.Mime;
using System.Text.Json;
using MassTransit;
using MassTransit.Context;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Serialization;

namespace Sagas.Persistence;

/// <summary>Sends stored messages: the same id, headers and body as the producer gave them, with publisher confirm.</summary>
internal sealed class OutboxSender(IBus bus, TimeProvider timeProvider)
{
    // MassTransit's way to test how a program takes a failed delivery.
    private const string FailDelivery = "MT-Fail-Delivery";

    private static readonly SerializedMessageBody _stored = new();
    private readonly ConcurrentDictionary<string, Uri> _addresses = new();

    public async Task SendAsync(OutboxMessage message, CancellationToken cancellationToken)
    {
        if (message.ExpirationTime is { } expiration && expiration <= timeProvider.GetUtcNow())
            return;
        var address = _addresses.GetOrAdd(message.DestinationAddress, static value => new Uri(value));
        var endpoint = await bus.GetSendEndpoint(address);

        // The transport itself does not stop trying. After a timeout here the message is sent again, under the same id.
        await endpoint
            .Send(_stored, new StoredMessagePipe(message, timeProvider), cancellationToken)
            .WaitAsync(cancellationToken);
    }

    /// <summary>Why a message could not be sent, for log and table.</summary>
    public static string Reason(Exception exception) =>
        exception is OperationCanceledException ? "The broker did not confirm in time" : exception.GetBaseException().Message;

    private sealed class StoredMessagePipe(OutboxMessage message, TimeProvider timeProvider) : IPipe<SendContext>
    {
        public Task Send(SendContext context)
        {
            context.MessageId = message.MessageId;
            context.RequestId = message.RequestId;
            context.ConversationId = message.ConversationId;
            context.CorrelationId = message.CorrelationId;
            context.InitiatorId = message.InitiatorId;
            context.SourceAddress = ToUri(message.SourceAddress);
            context.ResponseAddress = ToUri(message.ResponseAddress);
            context.FaultAddress = ToUri(message.FaultAddress);
            context.SupportedMessageTypes = message.MessageType.Split(';');
            if (message.ExpirationTime is { } expiration)
                context.TimeToLive = expiration - timeProvider.GetUtcNow();
            if (message.Headers is not null)
            {
                foreach (var (name, value) in Values(message.Headers))
                    context.Headers.Set(name, value);
            }

            if (message.Properties is not null && context is TransportSendContext transport)
                transport.ReadPropertiesFrom(Values(message.Properties));
            if (context.Headers.TryGetHeader(FailDelivery, out _))
                throw new MessageException(typeof(SerializedMessageBody), $"The header {FailDelivery} asks for this failure.");
            var contentType = new ContentType(message.ContentType);
            if (!context.Serialization.TryGetMessageDeserializer(contentType, out var deserializer))
            {
                throw new ConfigurationException(
                    $"The bus has no deserializer for {contentType.MediaType}, which decodes the stored body: "
                        + "call AddDeserializer for it, beside AddSerializer."
                );
            }

            context.Serializer = new StoredMessageSerializer(contentType, deserializer.GetMessageBody(message.Body));
            return Task.CompletedTask;
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("storedMessage");

        private static Uri? ToUri(string? address) => address is null ? null : new Uri(address);

        private static Dictionary<string, object> Values(string json)
        {
            var values = new Dictionary<string, object>();
            using var document = JsonDocument.Parse(json);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                object? value = property.Value.ValueKind switch
                {
                    JsonValueKind.String => property.Value.GetString(),
                    JsonValueKind.Number => property.Value.TryGetInt64(out var whole) ? whole : property.Value.GetDouble(),
                    JsonValueKind.True => true,
                    JsonValueKind.False => false,
                    JsonValueKind.Null => null,
                    _ => property.Value.GetRawText(),
                };
                if (value is not null)
                    values[property.Name] = value;
            }

            return values;
        }
    }

    // The stored body is what the serializer wrote when the message was published; it is sent unchanged. A binary body is stored
    // as base64, which its serializer decodes.
    private sealed class StoredMessageSerializer(ContentType contentType, MessageBody body) : IMessageSerializer
    {
        public ContentType ContentType => contentType;

        public MessageBody GetMessageBody<T>(SendContext<T> context)
            where T : class => body;
    }
}
