using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sagas.EndToEndTests.Processes;

/// <summary>A message to publish: plain JSON, as a producer that is not .NET would write it.</summary>
/// <param name="Exchange">Where to.</param>
/// <param name="Body">JSON, or not.</param>
internal sealed record PlainMessage(string Exchange, string Body)
{
    public string MessageId { get; } = Guid.NewGuid().ToString("D");
}

/// <summary>The broker as other systems use it.</summary>
internal static class Broker
{
    private const int AtOnce = 200;
    private static readonly TimeSpan _confirmPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _answerPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _betweenAttempts = TimeSpan.FromMilliseconds(200);

    public static Task<IConnection> ConnectAsync(Uri uri) =>
        new ConnectionFactory
        {
            Uri = uri,
            AutomaticRecoveryEnabled = false,
            HandshakeContinuationTimeout = _answerPatience,
            ContinuationTimeout = _answerPatience,
        }.CreateConnectionAsync();

    /// <summary>Publishes everything, each again with the same id until the broker has confirmed it.</summary>
    /// <returns>How often a connection was lost on the way.</returns>
    public static async Task<int> PublishAsync(Uri uri, IReadOnlyCollection<PlainMessage> messages, CancellationToken stop)
    {
        var left = new Queue<PlainMessage>(messages);
        for (var losses = 0; ; losses++)
        {
            try
            {
                await using var connection = await ConnectAsync(uri);
                await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), stop);
                await PublishAsync(channel, left, stop);
                return losses;
            }
            catch (Exception e) when (IsLoss(e) && !stop.IsCancellationRequested)
            {
                await Task.Delay(_betweenAttempts, stop);
            }
        }
    }

    /// <summary>How many messages are ready in a queue; null: there is no such queue.</summary>
    public static async Task<uint?> CountAsync(IConnection connection, string queue)
    {
        await using var channel = await connection.CreateChannelAsync();
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == 404)
        {
            return null;
        }
    }

    /// <summary>The messages of a queue with the headers that tell why they are there, without taking them out.</summary>
    public static async Task<IReadOnlyList<string>> PeekAsync(IConnection connection, string queue, int most)
    {
        var found = new List<string>();
        if (await CountAsync(connection, queue) is null or 0)
            return found;
        await using var channel = await connection.CreateChannelAsync();
        while (found.Count < most && await channel.BasicGetAsync(queue, autoAck: false) is { } message)
        {
            var headers = message.BasicProperties.Headers;
            var reason = headers?.TryGetValue("MT-Fault-Message", out var text) == true && text is byte[] bytes ? Encoding.UTF8.GetString(bytes) : "?";
            found.Add($"{queue}: {reason} ← {Encoding.UTF8.GetString(message.Body.Span)}");
        }

        return found;
    }

    private static async Task PublishAsync(IChannel channel, Queue<PlainMessage> left, CancellationToken stop)
    {
        while (left.Count > 0)
        {
            // Unconfirmed ones stay in the queue: a failure anywhere in the round publishes the round again.
            var round = left.Take(AtOnce).ToArray();
            await Task.WhenAll(round.Select(message => PublishAsync(channel, message, stop))).WaitAsync(_confirmPatience, stop);
            for (var i = 0; i < round.Length; i++)
                left.Dequeue();
        }
    }

    private static Task PublishAsync(IChannel channel, PlainMessage message, CancellationToken stop)
    {
        var properties = new BasicProperties { Persistent = true, ContentType = "application/json", MessageId = message.MessageId };
        return channel.BasicPublishAsync(message.Exchange, "", mandatory: true, properties, Encoding.UTF8.GetBytes(message.Body), stop).AsTask();
    }

    private static bool IsLoss(Exception e) =>
        e is BrokerUnreachableException or RabbitMQClientException or IOException or TimeoutException or ObjectDisposedException or OperationCanceledException;
}
