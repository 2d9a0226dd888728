using System.Text;
using RabbitMQ.Client;

namespace Sagas.TestSupport.Servers;

/// <summary>A message in a queue.</summary>
/// <param name="Queue">Where it is.</param>
/// <param name="Exchange">Where it was published to.</param>
/// <param name="MessageId">Its id; empty where it has none.</param>
/// <param name="Body">Its text.</param>
/// <param name="Fault">Why it is in an error queue; null where it does not say.</param>
public sealed record QueuedMessage(string Queue, string Exchange, string MessageId, string Body, string? Fault)
{
    internal static QueuedMessage Read(
        string queue,
        string exchange,
        IReadOnlyBasicProperties properties,
        ReadOnlyMemory<byte> body
    ) =>
        new(
            queue,
            exchange,
            properties.MessageId ?? "",
            Encoding.UTF8.GetString(body.Span),
            Text(properties, "MT-Fault-Message")
        );

    private static string? Text(IReadOnlyBasicProperties properties, string header) =>
        properties.Headers is { } headers && headers.TryGetValue(header, out var value) && value is byte[] bytes
            ? Encoding.UTF8.GetString(bytes)
            : null;
}
