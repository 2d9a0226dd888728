using System.Net.Mime;
using System.Text.Json;
using MassTransit;
using MassTransit.Serialization;

namespace Sagas.Services.Messages;

/// <summary>
/// Reads MassTransit's own envelope as MassTransit does, except that what cannot be read is an invalid message.
/// </summary>
internal sealed class EnvelopeDeserializer(MessagesOptions options, ContractTypes contracts) : IMessageDeserializer
{
    public ContentType ContentType => SystemTextJsonMessageSerializer.JsonContentType;

    public ConsumeContext Deserialize(ReceiveContext receiveContext) =>
        new BodyConsumeContext(
            receiveContext,
            Deserialize(receiveContext.Body, receiveContext.TransportHeaders, receiveContext.InputAddress)
        );

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
        Read(IncomingBody.Parse(body, options.MaxBodyBytes));

    public MessageBody GetMessageBody(string text) => new StringMessageBody(text);

    public void Probe(ProbeContext context) => context.CreateScope("envelope").Add("contentType", ContentType.MediaType);

    /// <summary>Whether a body is an envelope, regardless of its content type.</summary>
    public static bool IsEnvelope(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object
        && body.TryGetProperty("messageType", out var types)
        && types.ValueKind == JsonValueKind.Array
        && body.TryGetProperty("message", out var message)
        && message.ValueKind == JsonValueKind.Object;

    /// <exception cref="InvalidMessageException">It is not an envelope, or has fields that cannot be read.</exception>
    public SerializerContext Read(JsonElement body)
    {
        MessageEnvelope? envelope;
        try
        {
            envelope = body.Deserialize<MessageEnvelope>(SystemTextJsonMessageSerializer.Options);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidMessageException($"The MassTransit envelope cannot be read{At(exception)}.");
        }
        if (envelope?.Message is not JsonElement { ValueKind: not JsonValueKind.Null } message)
            throw new InvalidMessageException("The MassTransit envelope has no message.");
        if (envelope.MessageType is not { Length: > 0 } types)
            throw new InvalidMessageException("The MassTransit envelope has no messageType.");
        var context = new EnvelopeMessageContext(envelope, SystemTextJsonMessageSerializer.Instance);
        Check(context);
        return new Context(contracts, ContentType, context, types, envelope, message);
    }

    // MassTransit parses these when they are first asked for, which would be in the middle of its own pipeline.
    private static void Check(EnvelopeMessageContext context)
    {
        try
        {
            _ = (context.MessageId, context.RequestId, context.CorrelationId, context.ConversationId, context.InitiatorId);
            _ = (context.SourceAddress, context.DestinationAddress, context.ResponseAddress, context.FaultAddress);
        }
        catch (FormatException exception)
        {
            throw new InvalidMessageException($"The MassTransit envelope cannot be read: {exception.Message}");
        }
    }

    private static string At(Exception exception) =>
        exception is JsonException { Path: { Length: > 0 } path } ? $" at {path}" : "";

    private sealed class Context(
        ContractTypes contracts,
        ContentType contentType,
        MessageContext context,
        string[] types,
        MessageEnvelope envelope,
        JsonElement message
    )
        : SystemTextJsonSerializerContext(
            SystemTextJsonMessageSerializer.Instance,
            SystemTextJsonMessageSerializer.Options,
            contentType,
            context,
            types,
            envelope,
            message
        )
    {
        private readonly JsonElement _message = message;

        public override bool TryGetMessage<T>(out T? message)
            where T : class
        {
            if (contracts.Contains(typeof(T)))
            {
                message = IsSupportedMessageType<T>() ? (T)ContractReader.Of(typeof(T)).Read(_message) : null;
                return message is not null;
            }
            try
            {
                return base.TryGetMessage(out message);
            }
            catch (JsonException exception)
            {
                throw new InvalidMessageException($"{typeof(T).Name}: the message cannot be read{At(exception)}.");
            }
        }
    }
}

/// <summary>Registers <see cref="EnvelopeDeserializer"/> in place of MassTransit's.</summary>
internal sealed class EnvelopeSerializerFactory(MessagesOptions options, ContractTypes contracts) : ISerializerFactory
{
    public ContentType ContentType => SystemTextJsonMessageSerializer.JsonContentType;

    public IMessageSerializer CreateSerializer() => SystemTextJsonMessageSerializer.Instance;

    public IMessageDeserializer CreateDeserializer() => new EnvelopeDeserializer(options, contracts);
}
