using System.Text;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
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
        // The client awaits the broker's answer when it opens a channel, but not when it opens a connection.
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

    /// <summary>The number of messages ready in a queue, or null if the queue does not exist.</summary>
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

    /// <summary>Publishes messages, and repeats each with the same id until the broker has confirmed it.</summary>
    /// <returns>How often a connection was lost.</returns>
    public static async Task<int> PublishAsync(
        Uri uri,
        IReadOnlyCollection<PlainMessage> messages,
        CancellationToken cancellationToken
    )
    {
        var left = new Queue<PlainMessage>(messages);
        for (var losses = 0; ; losses++)
        {
            try
            {
                await using var connection = await ConnectAsync(uri);
                var confirming = new CreateChannelOptions(
                    publisherConfirmationsEnabled: true,
                    publisherConfirmationTrackingEnabled: true
                );
                await using var channel = await connection.CreateChannelAsync(confirming, cancellationToken);
                await PublishAsync(channel, left, cancellationToken);
                return losses;
            }
            catch (Exception e) when (IsLoss(e) && !cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(_retryDelay, cancellationToken);
            }
        }
    }

    /// <summary>Takes the next message of a queue. A message that the broker has confirmed may arrive a moment later.</summary>
    public static async Task<BasicGetResult> TakeAsync(IChannel channel, string queue, bool autoAck = true) =>
        (
            await Eventually.MatchesAsync(
                $"a message in {queue}",
                () => channel.BasicGetAsync(queue, autoAck),
                message => message is not null
            )
        )!;

    /// <summary>The messages of a queue, which stay there.</summary>
    public static async Task<IReadOnlyList<QueuedMessage>> PeekAsync(
        IConnection connection,
        string queue,
        int limit = int.MaxValue
    )
    {
        var found = new List<QueuedMessage>();
        if (await CountAsync(connection, queue) is null or 0)
            return found;
        await using var channel = await connection.CreateChannelAsync();
        while (found.Count < limit && await channel.BasicGetAsync(queue, autoAck: false) is { } message)
            found.Add(QueuedMessage.Read(queue, message.Exchange, message.BasicProperties, message.Body));
        return found;
    }

    /// <summary>Takes the messages that are in a queue now. They must be confirmed and have no other consumer.</summary>
    public static async Task<IReadOnlyList<QueuedMessage>> DrainAsync(Uri uri, string queue)
    {
        await using var connection = await ConnectAsync(uri);
        await using var channel = await connection.CreateChannelAsync();
        var count = (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        var arriving = Channel.CreateUnbounded<QueuedMessage>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) =>
        {
            var read = QueuedMessage.Read(queue, message.Exchange, message.BasicProperties, message.Body);
            return arriving.Writer.WriteAsync(read).AsTask();
        };
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer);
        var cancellationToken = Eventually.Cancellation();
        var messages = new List<QueuedMessage>();
        while (messages.Count < count)
            messages.Add(await arriving.Reader.ReadAsync(cancellationToken));
        return messages;
    }

    private static async Task PublishAsync(IChannel channel, Queue<PlainMessage> left, CancellationToken cancellationToken)
    {
        while (left.Count > 0)
        {
            // Unconfirmed ones stay in the queue: a failure anywhere in the round publishes the round again.
            var round = left.Take(MaxUnconfirmed).ToArray();
            await Task.WhenAll(round.Select(message => PublishAsync(channel, message, cancellationToken)))
                .WaitAsync(Eventually.Timeout, cancellationToken);
            for (var i = 0; i < round.Length; i++)
                left.Dequeue();
        }
    }

    private static Task PublishAsync(IChannel channel, PlainMessage message, CancellationToken cancellationToken)
    {
        var properties = new BasicProperties
        {
            Persistent = true,
            ContentType = "application/json",
            MessageId = message.MessageId,
        };
        var body = Encoding.UTF8.GetBytes(message.Body);
        return channel.BasicPublishAsync(message.Exchange, "", mandatory: true, properties, body, cancellationToken).AsTask();
    }

    private static bool IsLoss(Exception e) =>
        e
            is BrokerUnreachableException
                or RabbitMQClientException
                or IOException
                or TimeoutException
                or ObjectDisposedException
                or OperationCanceledException;
}
