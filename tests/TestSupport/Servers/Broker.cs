using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sagas.TestSupport.Servers;

/// <summary>The broker as other systems use it.</summary>
public static class Broker
{
    private const int MaxUnconfirmed = 200;
    private static readonly TimeSpan _retryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Connects without recovery: a test that restarts the broker connects again.</summary>
    public static Task<IConnection> ConnectAsync(Uri uri) =>
        new ConnectionFactory
        {
            Uri = uri,
            AutomaticRecoveryEnabled = false,
            HandshakeContinuationTimeout = Eventually.Timeout,
            ContinuationTimeout = Eventually.Timeout,
        }.CreateConnectionAsync();

    /// <summary>Whether the broker has the address's virtual host.</summary>
    public static async Task<bool> HasVirtualHostAsync(Uri uri)
    {
        // The client does not await the broker's answer to opening a connection; that to opening a channel it does.
        await using var connection = await ConnectAsync(uri);
        try
        {
            await using var channel = await connection.CreateChannelAsync();
            return true;
        }
        catch (RabbitMQClientException) when (connection.CloseReason?.ReplyCode == Constants.NotAllowed)
        {
            return false;
        }
    }

    /// <summary>How many messages are ready in a queue; null where there is no such queue.</summary>
    public static async Task<uint?> CountAsync(IConnection connection, string queue)
    {
        await using var channel = await connection.CreateChannelAsync();
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    /// <summary>Publishes messages, each until the broker has confirmed it, always with the same id.</summary>
    /// <returns>How often a connection was lost on the way.</returns>
    public static async Task<int> PublishAsync(Uri uri, IReadOnlyCollection<PlainMessage> messages, CancellationToken cancellationToken)
    {
        var left = new Queue<PlainMessage>(messages);
        for (var losses = 0; ; losses++)
        {
            try
            {
                await using var connection = await ConnectAsync(uri);
                await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), cancellationToken);
                await PublishAsync(channel, left, cancellationToken);
                return losses;
            }
            catch (Exception e) when (IsLoss(e) && !cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(_retryDelay, cancellationToken);
            }
        }
    }

    /// <summary>Takes the next message of a queue, which may need a moment to get there even when the broker has confirmed it.</summary>
    public static async Task<BasicGetResult> TakeAsync(IChannel channel, string queue, bool autoAck = true) =>
        (await Eventually.MatchesAsync($"a message in {queue}", () => channel.BasicGetAsync(queue, autoAck), message => message is not null))!;

    /// <summary>The messages of a queue with the reason in their headers, without taking them out.</summary>
    public static async Task<IReadOnlyList<string>> PeekAsync(IConnection connection, string queue, int limit)
    {
        var found = new List<string>();
        if (await CountAsync(connection, queue) is null or 0)
            return found;
        await using var channel = await connection.CreateChannelAsync();
        while (found.Count < limit && await channel.BasicGetAsync(queue, autoAck: false) is { } message)
        {
            var headers = message.BasicProperties.Headers;
            var reason = headers?.TryGetValue("MT-Fault-Message", out var text) == true && text is byte[] bytes ? Encoding.UTF8.GetString(bytes) : "?";
            found.Add($"{queue}: {reason} ← {Encoding.UTF8.GetString(message.Body.Span)}");
        }

        return found;
    }

    private static async Task PublishAsync(IChannel channel, Queue<PlainMessage> left, CancellationToken cancellationToken)
    {
        while (left.Count > 0)
        {
            // Unconfirmed ones stay in the queue: a failure anywhere in the round publishes the round again.
            var round = left.Take(MaxUnconfirmed).ToArray();
            await Task.WhenAll(round.Select(message => PublishAsync(channel, message, cancellationToken))).WaitAsync(Eventually.Timeout, cancellationToken);
            for (var i = 0; i < round.Length; i++)
                left.Dequeue();
        }
    }

    private static Task PublishAsync(IChannel channel, PlainMessage message, CancellationToken cancellationToken)
    {
        var properties = new BasicProperties { Persistent = true, ContentType = "application/json", MessageId = message.MessageId };
        return channel.BasicPublishAsync(message.Exchange, "", mandatory: true, properties, Encoding.UTF8.GetBytes(message.Body), cancellationToken).AsTask();
    }

    private static bool IsLoss(Exception e) =>
        e is BrokerUnreachableException or RabbitMQClientException or IOException or TimeoutException or ObjectDisposedException or OperationCanceledException;
}
