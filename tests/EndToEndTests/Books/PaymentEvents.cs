using System.Text.Json;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Books;

/// <summary>Another system that listens to what becomes of payments: a durable queue, read when everything is over.</summary>
internal static class PaymentEvents
{
    private const string Queue = "test-payment-events";
    private static readonly string[] _exchanges = ["PaymentCompleted", "PaymentFailed"];

    /// <summary>Makes the queue. Declares the exchanges as the services will.</summary>
    public static async Task ListenAsync(Uri rabbitMq)
    {
        await using var connection = await Broker.ConnectAsync(rabbitMq);
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueueDeclareAsync(Queue, true, false, false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
        foreach (var exchange in _exchanges)
        {
            await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true);
            await channel.QueueBindAsync(Queue, exchange, "");
        }
    }

    /// <summary>Takes out all that arrived.</summary>
    public static async Task<IReadOnlyList<PaymentEvent>> ReadAsync(Uri rabbitMq)
    {
        await using var connection = await Broker.ConnectAsync(rabbitMq);
        await using var channel = await connection.CreateChannelAsync();
        var count = (await channel.QueueDeclarePassiveAsync(Queue)).MessageCount;
        var arriving = Channel.CreateUnbounded<PaymentEvent>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) => arriving.Writer.WriteAsync(Read(message)).AsTask();
        await channel.BasicConsumeAsync(Queue, autoAck: true, consumer);
        using var timeout = new CancellationTokenSource(Eventually.Timeout);
        var events = new List<PaymentEvent>();
        while (events.Count < count)
            events.Add(await arriving.Reader.ReadAsync(timeout.Token));
        return events;
    }

    private static PaymentEvent Read(BasicDeliverEventArgs message)
    {
        using var json = JsonDocument.Parse(message.Body);
        var body = json.RootElement.GetProperty("message");
        return new PaymentEvent(
            message.Exchange, message.BasicProperties.MessageId ?? "", body.GetProperty("paymentId").GetString()!,
            body.TryGetProperty("gatewayReference", out var reference) ? reference.GetString() : null);
    }
}

/// <summary>A PaymentCompleted or PaymentFailed that arrived.</summary>
internal sealed record PaymentEvent(string Type, string MessageId, string PaymentId, string? GatewayReference);
