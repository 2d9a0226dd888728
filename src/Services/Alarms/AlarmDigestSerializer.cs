using System.Net.Mime;
using System.Text.Json;
using MassTransit;
using MassTransit.Serialization;

namespace Sagas.Services.Alarms;

/// <summary>
/// Writes a digest for both kinds of readers: as MassTransit's envelope that has the digest's own properties beside the
/// envelope's, so that readers of plain JSON find <c>UserID</c> and <c>ActiveAlarms</c> where plain JSON has them.
/// </summary>
internal sealed class AlarmDigestSerializer : IMessageSerializer
{
    private static readonly JsonSerializerOptions _envelope = new(SystemTextJsonMessageSerializer.Options)
    {
        WriteIndented = false,
    };

    public static AlarmDigestSerializer Instance { get; } = new();

    public ContentType ContentType => SystemTextJsonMessageSerializer.JsonContentType;

    public MessageBody GetMessageBody<T>(SendContext<T> context)
        where T : class
    {
        var plain = JsonSerializer.Serialize(context.Message);
        var envelope = new SystemTextJsonMessageBody<T>(context, _envelope).GetString();
        // Two objects become one.
        return new StringMessageBody($"{plain.AsSpan()[..^1]},{envelope.AsSpan()[1..]}");
    }
}
