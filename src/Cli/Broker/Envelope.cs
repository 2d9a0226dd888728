using System.Text.Json;

namespace Sagas.Cli.Broker;

/// <summary>The part of MassTransit's message envelope that a consumer needs.</summary>
/// <param name="MessageId">The message's own id.</param>
/// <param name="ConversationId">Everything that follows from this message carries it.</param>
/// <param name="SentTime">When it was published.</param>
/// <param name="MessageType">Names of the message's type.</param>
/// <param name="Message">The message.</param>
internal sealed record Envelope(Guid MessageId, Guid ConversationId, DateTime SentTime, string[] MessageType, object Message)
{
    /// <summary>Media type by which MassTransit knows an envelope.</summary>
    public const string ContentType = "application/vnd.masstransit+json";

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);

    /// <summary>Puts a message in an envelope of its own conversation.</summary>
    /// <param name="message">The message.</param>
    /// <param name="now">When it is published.</param>
    public static byte[] Serialize(OutgoingMessage message, DateTimeOffset now)
    {
        var type = message.Body.GetType();
        var names = new[] { $"urn:message:{type.Namespace}:{type.Name}" };
        var envelope = new Envelope(message.MessageId, Guid.CreateVersion7(), now.UtcDateTime, names, message.Body);
        return JsonSerializer.SerializeToUtf8Bytes(envelope, _json);
    }
}
