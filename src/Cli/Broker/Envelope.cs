using MassTransit.Context;
using MassTransit.Serialization;

namespace Sagas.Cli.Broker;

/// <summary>MassTransit's message envelope.</summary>
internal static class Envelope
{
    /// <summary>Media type by which MassTransit knows an envelope.</summary>
    public static string ContentType => SystemTextJsonMessageSerializer.JsonContentType.MediaType;

    /// <summary>Puts a message in an envelope of a conversation of its own.</summary>
    public static byte[] Serialize<T>(OutgoingMessage<T> message)
        where T : class
    {
        var context = new MessageSendContext<T>(message.Body)
        {
            MessageId = message.MessageId,
            ConversationId = Guid.CreateVersion7(),
        };
        return SystemTextJsonMessageSerializer.Instance.GetMessageBody(context).GetBytes();
    }
}
