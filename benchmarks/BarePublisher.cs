using System.Text;
using MassTransit;
using RabbitMQ.Client;

namespace Sagas.Benchmarks;

/// <summary>RabbitMQ's client alone, with confirms: what the broker takes from one connection.</summary>
internal static class BarePublisher
{
    // Each waits for the confirm of its message before it publishes the next.
    private const int Publishers = 256;

    // As the transport of MassTransit: a few, since one channel is one process of the broker.
    private const int Channels = 8;

    /// <summary>Publishes persistent messages until all are confirmed.</summary>
    public static async Task PublishAsync(
        IConnection connection,
        string exchange,
        int messages,
        CancellationToken cancellationToken
    )
    {
        var options = new CreateChannelOptions(
            publisherConfirmationsEnabled: true,
            publisherConfirmationTrackingEnabled: true,
            outstandingPublisherConfirmationsRateLimiter: null
        );
        var channels = new List<IChannel>();
        for (var number = 0; number < Channels; number++)
            channels.Add(await connection.CreateChannelAsync(options, cancellationToken));
        var next = -1;
        await Task.WhenAll(
            Enumerable
                .Range(0, Publishers)
                .Select(async publisher =>
                {
                    var channel = channels[publisher % Channels];
                    while (Interlocked.Increment(ref next) is var number && number < messages)
                        await PublishAsync(channel, exchange, number, cancellationToken);
                })
        );
        foreach (var channel in channels)
            await channel.DisposeAsync();
    }

    private static ValueTask PublishAsync(IChannel channel, string exchange, int number, CancellationToken cancellationToken)
    {
        var id = NewId.NextGuid().ToString();
        var body = $$"""
            {
                "messageId": "{{id}}",
                "conversationId": "{{id}}",
                "sourceAddress": "rabbitmq://localhost/order-saga",
                "destinationAddress": "rabbitmq://localhost/Sagas.Benchmarks:OrderAccepted",
                "messageType": ["urn:message:Sagas.Benchmarks:OrderAccepted"],
                "message": {"orderId": "{{id}}", "amount": {{number}}},
                "sentTime": "2026-01-01T00:00:00Z",
                "headers": {}
            }
            """;
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = id,
            ContentType = "application/vnd.masstransit+json",
        };
        return channel.BasicPublishAsync(
            exchange,
            "",
            mandatory: false,
            properties,
            Encoding.UTF8.GetBytes(body),
            cancellationToken
        );
    }
}
