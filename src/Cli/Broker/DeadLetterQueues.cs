using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Cli.CommandLine;
using Sagas.Services;
using Sagas.Services.Messages;

namespace Sagas.Cli.Broker;

/// <summary>Reads error queues, and moves messages back to where they failed.</summary>
internal sealed class DeadLetterQueues(BrokerConnection broker)
{
    /// <summary>The queues of the services.</summary>
    public static IReadOnlyList<string> ServiceQueues { get; } =
    [.. Features.Product.Endpoints.Select(endpoint => endpoint.Queue)];

    // Each look is a delivery, and RabbitMQ 4 drops a message of a quorum queue after 20 deliveries: a copy replaces a
    // message after this many looks.
    private const long LooksBeforeRenewal = 8;

    private const string DeliveryCount = "x-delivery-count";

    /// <summary>The error queues of some queues; of the services' if none is named.</summary>
    /// <param name="queues">Names of queues, or of error queues.</param>
    public static IReadOnlyList<string> Of(IReadOnlyCollection<string>? queues) =>
        [
            .. ServiceQueues
                .Concat(queues ?? [])
                .Distinct()
                .SelectMany(queue =>
                    queue == DeadLetter.QueueOf(queue)
                        ? [queue + DeadLetterName.ErrorSuffix, queue + DeadLetterName.SkippedSuffix]
                        : new[] { queue }
                ),
        ];

    /// <summary>Reads the messages of one id, whole, without taking them out.</summary>
    /// <param name="errorQueues">The queues; those that do not exist are empty.</param>
    /// <param name="messageId">The message; in more than one queue where several consumers failed.</param>
    /// <param name="cancellationToken">Stops looking.</param>
    public async Task<IReadOnlyList<DeadLetter>> FindAsync(
        IReadOnlyList<string> errorQueues,
        string messageId,
        CancellationToken cancellationToken
    )
    {
        var letters = new List<DeadLetter>();
        foreach (var queue in errorQueues)
        {
            if (await broker.CountAsync(queue, cancellationToken) is > 0)
                await PeekAsync(queue, int.MaxValue, letters, messageId, cancellationToken);
        }

        return letters;
    }

    /// <summary>Reads messages without taking them out.</summary>
    public async Task<IReadOnlyList<DeadLetter>> PeekAsync(
        IReadOnlyList<string> errorQueues,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var letters = new List<DeadLetter>();
        foreach (var queue in errorQueues)
        {
            if (limit > letters.Count && await broker.CountAsync(queue, cancellationToken) is > 0)
                await PeekAsync(queue, limit - letters.Count, letters, null, cancellationToken);
        }

        return letters;
    }

    /// <summary>How many messages each of the queues holds.</summary>
    public async Task<IReadOnlyList<uint>> CountAsync(IReadOnlyList<string> errorQueues, CancellationToken cancellationToken)
    {
        var counts = new List<uint>();
        foreach (var queue in errorQueues)
            counts.Add(await broker.CountAsync(queue, cancellationToken) ?? 0);
        return counts;
    }

    /// <summary>Moves messages back to the queue where they failed, each once.</summary>
    /// <exception cref="CommandException">The queue they came from does not exist, or the broker did not confirm.</exception>
    public async Task MoveBackAsync(
        string errorQueue,
        string? messageId,
        string? type,
        Action<DeadLetter> moved,
        Action<DeadLetter> left,
        CancellationToken cancellationToken
    )
    {
        // A message that fails again comes back to the end of the queue: only the messages that are there now are moved.
        var count = await broker.CountAsync(errorQueue, cancellationToken) ?? 0;
        if (count == 0)
            return;

        var queue = DeadLetter.QueueOf(errorQueue);
        if (queue == errorQueue || await broker.CountAsync(queue, cancellationToken) is null)
            throw new CommandException(
                ExitCode.Failed,
                $"Messages stay in {errorQueue}: the queue {queue}, where they failed, does not exist. "
                    + "Start the services, which declare it."
            );

        // The other messages stay unsettled until the channel closes, which puts them back where they were.
        await using var channel = await broker.OpenConfirmedChannelAsync(cancellationToken);
        for (; count > 0 && await channel.BasicGetAsync(errorQueue, autoAck: false, cancellationToken) is { } delivery; count--)
        {
            if (messageId is not null && DeadLetter.NameOf(delivery) != messageId)
                continue;

            var letter = DeadLetter.From(errorQueue, delivery);
            if (letter.Message is null && type is null)
            {
                left(letter);
                continue;
            }

            await ForwardAsync(channel, queue, delivery, Again(delivery, type), cancellationToken);
            moved(letter);
        }
    }

    private async Task PeekAsync(
        string queue,
        int limit,
        List<DeadLetter> letters,
        string? messageId,
        CancellationToken cancellationToken
    )
    {
        await using var channel = await broker.OpenConfirmedChannelAsync(cancellationToken);
        var worn = new List<BasicGetResult>();
        for (var i = 0; i < limit && await channel.BasicGetAsync(queue, autoAck: false, cancellationToken) is { } delivery; i++)
        {
            if (messageId is null || DeadLetter.NameOf(delivery) == messageId)
                letters.Add(DeadLetter.From(queue, delivery, isWhole: messageId is not null));
            if (
                delivery.BasicProperties.Headers?.TryGetValue(DeliveryCount, out var count) == true
                && Convert.ToInt64(count, System.Globalization.CultureInfo.InvariantCulture) >= LooksBeforeRenewal
            )
                worn.Add(delivery);
        }

        foreach (var delivery in worn)
            await ForwardAsync(channel, queue, delivery, Properties(delivery, name => name == DeliveryCount), cancellationToken);
    }

    // The message as it was published, as far as its error queue knows it. The header with the name of its exchange, which
    // gives plain JSON its type, stays.
    private static BasicProperties Again(BasicGetResult delivery, string? type)
    {
        var properties = Properties(
            delivery,
            name =>
                name is DeliveryCount or "MT-Reason"
                || (name.StartsWith("MT-Fault-", StringComparison.Ordinal) && name != "MT-Fault-Address")
        );
        if (type is not null)
            (properties.Headers ??= new Dictionary<string, object?>()).TryAdd(DeadLetter.TypeHeader, type);
        return properties;
    }

    private static BasicProperties Properties(BasicGetResult delivery, Func<string, bool> without)
    {
        var properties = new BasicProperties(delivery.BasicProperties) { DeliveryMode = DeliveryModes.Persistent };
        RoutingProperties.Remove(properties);
        foreach (var name in properties.Headers?.Keys.Where(without).ToList() ?? [])
            properties.Headers!.Remove(name);
        return properties;
    }

    // Publishes first, then removes: a failure in between leaves the message twice under one id, which the services' inbox
    // consumes once.
    private static async Task ForwardAsync(
        IChannel channel,
        string queue,
        BasicGetResult delivery,
        BasicProperties properties,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await channel.BasicPublishAsync("", queue, mandatory: true, properties, delivery.Body, cancellationToken);
        }
        catch (PublishException exception)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"RabbitMQ did not accept {DeadLetter.NameOf(delivery)} for {queue}; it stays in its error queue. "
                    + $"{exception.Message}",
                exception
            );
        }

        await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, CancellationToken.None);
    }
}
