using System.Text.Json;
using RabbitMQ.Client;

namespace Sagas.EndToEndTests.Payments;

/// <summary>Another system that listens for the results of payments: a durable queue, read at the end of a test.</summary>
internal static class PaymentEvents
{
    private const string Queue = "test-payment-events";
    private static readonly string[] _exchanges = ["PaymentCompleted", "PaymentFailed"];

    /// <summary>Creates the queue, and declares the exchanges as the services will.</summary>
    public static async Task ListenAsync(Uri rabbitMq)
    {
        await using var connection = await Broker.ConnectAsync(rabbitMq);
        await using var channel = await connection.CreateChannelAsync();
        var arguments = new Dictionary<string, object?> { ["x-queue-type"] = "quorum" };
        await channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false, arguments);
        foreach (var exchange in _exchanges)
        {
            await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true);
            await channel.QueueBindAsync(Queue, exchange, "");
        }
    }

    /// <summary>Takes all events that arrived.</summary>
    public static async Task<IReadOnlyList<PaymentEvent>> ReadAsync(Uri rabbitMq) =>
        [.. (await Broker.DrainAsync(rabbitMq, Queue)).Select(Read)];

    private static PaymentEvent Read(QueuedMessage message)
    {
        using var json = JsonDocument.Parse(message.Body);
        var body = json.RootElement.GetProperty("message");
        return new PaymentEvent(
            message.Exchange,
            message.MessageId,
            body.GetProperty("paymentId").GetString()!,
            body.TryGetProperty("gatewayReference", out var reference) ? reference.GetString() : null
        );
    }
}

/// <summary>A PaymentCompleted or PaymentFailed that arrived.</summary>
internal sealed record PaymentEvent(string Type, string MessageId, string PaymentId, string? GatewayReference);
