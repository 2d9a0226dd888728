using System.Net.Mime;
using System.Text.Json;
using MassTransit;
using MassTransit.Context;
using MassTransit.Serialization;

namespace Sagas.Services.Messages;

/// <summary>
/// JSON without an envelope, as producers that are not .NET write it, for <c>application/json</c> and for deliveries
/// without a content type. The type of the message is known from the exchange that it was published to.
/// </summary>
internal sealed class PlainJsonDeserializer(MessagesOptions options, ContractTypes contracts, TimeProvider timeProvider)
    : IMessageDeserializer
{
    private const string TypeHeader = "MT-MessageType";
    private const string ExchangeHeader = "RabbitMQ-ExchangeName";

    // Without the flag AnyMessageType, which would let every consumer of a queue read every message, and without CopyHeaders: the
    // headers of a delivery are about this delivery (RabbitMQ-DeliveryTag) or tell the broker what to do with it (CC names
    // further queues), and would be set on every message that is published in answer.
    private const RawSerializerOptions RawOptions = RawSerializerOptions.AddTransportHeaders;

    private readonly EnvelopeDeserializer _envelopes = new(options, contracts);

    public ContentType ContentType => SystemTextJsonRawMessageSerializer.JsonContentType;

    public ConsumeContext Deserialize(ReceiveContext receiveContext)
    {
        var properties = (receiveContext as TransportReceiveContext)?.GetTransportProperties();
        return new BodyConsumeContext(
            receiveContext,
            Deserialize(
                receiveContext.Body,
                receiveContext.TransportHeaders,
                receiveContext.InputAddress,
                properties,
                SentTimeHeader.Of(receiveContext, timeProvider)
            )
        );
    }

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
        Deserialize(body, headers, destinationAddress, null, null);

    public MessageBody GetMessageBody(string text) => new StringMessageBody(text);

    public void Probe(ProbeContext context) => context.CreateScope("plainJson").Add("contentType", ContentType.MediaType);

    private SerializerContext Deserialize(
        MessageBody body,
        Headers headers,
        Uri? address,
        IDictionary<string, object>? properties,
        DateTimeOffset? sentTime
    )
    {
        var json = IncomingBody.Parse(body, options.MaxBodyBytes);
        if (EnvelopeDeserializer.IsEnvelope(json))
            return _envelopes.Read(json);
        var type = FindType(headers, properties);
        var context = new PlainMessageContext(
            new RawMessageContext(headers, address, RawOptions),
            headers,
            type,
            properties?.TryGetValue("RMQ-AppId", out var application) == true ? application as string : null,
            sentTime
        );
        return new Context(ContentType, context, type, json);
    }

    // The header comes first because it is set on purpose; the AMQP property "type" last, since other software fills it
    // with names of its own.
    private Type FindType(Headers headers, IDictionary<string, object>? properties)
    {
        var header = HeaderText.Of(headers, TypeHeader);
        var exchange = HeaderText.Of(headers, ExchangeHeader);
        object? property = null;
        properties?.TryGetValue("RMQ-Type", out property);
        var first = header?.Split(';', 2)[0];
        return contracts.Find(first)
            ?? contracts.Find(exchange)
            ?? contracts.Find(property as string)
            ?? throw new InvalidMessageException(
                "The type of the message is not known: it was published to "
                    + (string.IsNullOrEmpty(exchange) ? "the queue itself" : $"the exchange '{exchange}'")
                    + $"{(first is null ? "" : $" with {TypeHeader} '{first}'")}. "
                    + "Publish it to the exchange of its type, such as PaymentRequested, "
                    + $"or name the type in the header {TypeHeader}."
            );
    }

    private sealed class Context(ContentType contentType, MessageContext context, Type type, JsonElement message)
        : SystemTextJsonRawSerializerContext(
            SystemTextJsonMessageSerializer.Instance,
            SystemTextJsonMessageSerializer.Options,
            contentType,
            context,
            [MessageUrn.ForTypeString(type)],
            RawOptions,
            message
        )
    {
        private readonly JsonElement _message = message;

        public override bool TryGetMessage<T>(out T? message)
            where T : class
        {
            message = typeof(T) == type ? (T)ContractReader.Of(type).Read(_message) : null;
            return message is not null;
        }
    }
}

/// <summary>Registers <see cref="PlainJsonDeserializer"/>.</summary>
internal sealed class PlainJsonSerializerFactory(MessagesOptions options, ContractTypes contracts, TimeProvider timeProvider)
    : ISerializerFactory
{
    public ContentType ContentType => SystemTextJsonRawMessageSerializer.JsonContentType;

    public IMessageSerializer CreateSerializer() => new SystemTextJsonRawMessageSerializer();

    public IMessageDeserializer CreateDeserializer() => new PlainJsonDeserializer(options, contracts, timeProvider);
}
