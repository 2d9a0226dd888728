using System.Globalization;
using System.Text.Json;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Serialization;

namespace Sagas.Persistence;

/// <summary>Turns what MassTransit is about to send into the row that is sent later.</summary>
internal static class OutboxMessageFactory
{
    private static readonly JsonSerializerOptions _json = new(SystemTextJsonMessageSerializer.Options) { WriteIndented = false };

    /// <exception cref="MessageException">The message has no id or no destination.</exception>
    public static OutboxMessage Create<T>(SendContext<T> context, TimeProvider timeProvider)
        where T : class
    {
        if (context.MessageId is not { } messageId)
            throw new MessageException(typeof(T), "The SendContext MessageId must be present");
        if (context.DestinationAddress is null)
            throw new MessageException(typeof(T), "The SendContext DestinationAddress must be present");

        // First: a serializer that writes no envelope, such as the raw JSON one, adds what it has no room for to the headers.
        var body = context.Serializer.GetMessageBody(context).GetString();
        return new OutboxMessage
        {
            MessageId = messageId,
            BatchId = messageId,
            Delay = context.Delay,
            ExpirationTime = context.TimeToLive is { } timeToLive
                ? timeProvider.GetUtcNow() + timeToLive + (context.Delay ?? TimeSpan.Zero)
                : null,
            ScheduleTokenId = context.Delay is null ? null : context.ScheduledMessageId,
            ConversationId = context.ConversationId,
            CorrelationId = context.CorrelationId,
            InitiatorId = context.InitiatorId,
            RequestId = context.RequestId,
            SourceAddress = context.SourceAddress?.ToString(),
            DestinationAddress = context.DestinationAddress.ToString(),
            ResponseAddress = context.ResponseAddress?.ToString(),
            FaultAddress = context.FaultAddress?.ToString(),
            MessageType = string.Join(';', context.SupportedMessageTypes),
            ContentType = (context.ContentType ?? context.Serialization.DefaultContentType).ToString(),
            Headers = Serialize(context.Headers.GetAll()),
            Properties = SerializeProperties(context),
            Body = body,
        };
    }

    /// <summary>Which redelivery of a message this is: 0 for its first delivery, and where a producer set the header to something
    /// else than a number.</summary>
    public static int RedeliveryCount(this ConsumeContext context) =>
        context.Headers.TryGetHeader(MessageHeaders.RedeliveryCount, out var value)
        && int.TryParse(
            Convert.ToString(value, CultureInfo.InvariantCulture),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var count
        )
            ? count
            : 0;

    private static string? SerializeProperties(SendContext context)
    {
        if (context is not MassTransit.Context.TransportSendContext transport)
            return null;
        var properties = new Dictionary<string, object>();
        transport.WritePropertiesTo(properties);

        // The row's due time is the delay. As a property it would delay the message again, by a plugin that may be missing.
        properties.Remove(nameof(SendContext.Delay));
        return Serialize(properties);
    }

    private static string? Serialize(IEnumerable<KeyValuePair<string, object>> values)
    {
        Dictionary<string, object>? dictionary = null;
        foreach (var (key, value) in values)
            (dictionary ??= [])[key] = value;
        return dictionary is null or { Count: 0 } ? null : JsonSerializer.Serialize(dictionary, _json);
    }
}
