using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Cli.CommandLine;
using Sagas.Services;

namespace Sagas.Cli.Broker;

/// <summary>Looks into error queues, and moves messages back to where they failed.</summary>
/// <param name="broker">The broker.</param>
internal sealed class DeadLetterQueues(BrokerConnection broker)
{
    /// <summary>The queues of the services.</summary>
    public static IReadOnlyList<string> ServiceQueues { get; } = [.. Features.Endpoints.Select(endpoint => endpoint.Queue)];

    // Looking counts as a delivery, and RabbitMQ 4 drops a message of a quorum queue after 20 deliveries, so one that
    // was looked at this often is replaced by a fresh copy of itself.
    private const long LooksBeforeRenewal = 8;

    private const string DeliveryCount = "x-delivery-count";

    /// <summary>The error queues of some queues; of the services' if none is named.</summary>
    /// <param name="queues">Names of queues, or of error queues.</param>
    public static IReadOnlyList<string> Of(IReadOnlyCollection<string>? queues) =>
    [
        .. ServiceQueues.Concat(queues ?? []).Distinct().SelectMany(queue =>
            queue == DeadLetter.QueueOf(queue)
                ? [queue + DeadLetter.ErrorSuffix, queue + DeadLetter.SkippedSuffix]
                : new[] { queue }),
    ];

    /// <summary>Shows messages without taking them out.</summary>
    /// <param name="errorQueues">The queues; those that do not exist are empty.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Stops looking.</param>
    public async Task<IReadOnlyList<DeadLetter>> PeekAsync(IReadOnlyList<string> errorQueues, int limit, CancellationToken stop)
    {
        var letters = new List<DeadLetter>();
        foreach (var queue in errorQueues)
        {
            if (limit > letters.Count && await broker.CountAsync(queue, stop) is > 0)
                await PeekAsync(queue, limit - letters.Count, letters, stop);
        }

        return letters;
    }

    /// <summary>How many messages each of the queues holds.</summary>
    /// <param name="errorQueues">The queues; those that do not exist are empty.</param>
    /// <param name="stop">Stops looking.</param>
    public async Task<IReadOnlyList<uint>> CountAsync(IReadOnlyList<string> errorQueues, CancellationToken stop)
    {
        var counts = new List<uint>();
        foreach (var queue in errorQueues)
            counts.Add(await broker.CountAsync(queue, stop) ?? 0);
        return counts;
    }

    /// <summary>Moves messages back to the queue where they failed, each once.</summary>
    /// <param name="errorQueue">The queue they are in.</param>
    /// <param name="messageId">The message; null: all that are there now.</param>
    /// <param name="type">The type that a message is said to be that does not say it itself; null: none.</param>
    /// <param name="moved">Told of each that is back.</param>
    /// <param name="left">Told of each that stays because the services would not know what it is.</param>
    /// <param name="stop">Stops before the next message.</param>
    /// <exception cref="CommandException">The queue they came from does not exist, or the broker did not confirm.</exception>
    public async Task MoveBackAsync(
        string errorQueue, string? messageId, string? type, Action<DeadLetter> moved, Action<DeadLetter> left, CancellationToken stop)
    {
        // Those that fail again come to the end of the queue: only what is there now is moved.
        var count = await broker.CountAsync(errorQueue, stop) ?? 0;
        if (count == 0)
            return;

        var queue = DeadLetter.QueueOf(errorQueue);
        if (queue == errorQueue || await broker.CountAsync(queue, stop) is null)
            throw new CommandException(ExitCode.Failed, $"Nothing is moved out of {errorQueue}: there is no queue {queue} to move it to.");

        // What is not wanted stays unsettled until the channel closes, which puts it back where it was.
        await using var channel = await broker.OpenConfirmedChannelAsync(stop);
        for (; count > 0 && await channel.BasicGetAsync(errorQueue, autoAck: false, stop) is { } delivery; count--)
        {
            if (messageId is not null && DeadLetter.NameOf(delivery) != messageId)
                continue;

            var letter = DeadLetter.From(errorQueue, delivery);
            if (letter.Message is null && type is null)
            {
                left(letter);
                continue;
            }

            await ForwardAsync(channel, queue, delivery, Again(delivery, type), stop);
            moved(letter);
        }
    }

    private async Task PeekAsync(string queue, int limit, List<DeadLetter> letters, CancellationToken stop)
    {
        await using var channel = await broker.OpenConfirmedChannelAsync(stop);
        var worn = new List<BasicGetResult>();
        for (var i = 0; i < limit && await channel.BasicGetAsync(queue, autoAck: false, stop) is { } delivery; i++)
        {
            letters.Add(DeadLetter.From(queue, delivery));
            if (delivery.BasicProperties.Headers?.TryGetValue(DeliveryCount, out var count) == true
                && Convert.ToInt64(count, System.Globalization.CultureInfo.InvariantCulture) >= LooksBeforeRenewal)
                worn.Add(delivery);
        }

        foreach (var delivery in worn)
            await ForwardAsync(channel, queue, delivery, Properties(delivery, name => name == DeliveryCount), stop);
    }

    // As the message was when it first came, as far as its error queue knows. The header with the name of the exchange it
    // was published to, by which plain JSON is known, is kept where it is there.
    private static BasicProperties Again(BasicGetResult delivery, string? type)
    {
        var properties = Properties(delivery, name => name is DeliveryCount or "MT-Reason"
            || (name.StartsWith("MT-Fault-", StringComparison.Ordinal) && name != "MT-Fault-Address"));
        if (type is not null)
            (properties.Headers ??= new Dictionary<string, object?>()).TryAdd(DeadLetter.TypeHeader, type);
        return properties;
    }

    private static BasicProperties Properties(BasicGetResult delivery, Func<string, bool> without)
    {
        var properties = new BasicProperties(delivery.BasicProperties) { DeliveryMode = DeliveryModes.Persistent };
        foreach (var name in properties.Headers?.Keys.Where(without).ToList() ?? [])
            properties.Headers!.Remove(name);
        return properties;
    }

    // Publishes and only then removes: whatever fails in between, the message is there, at worst twice under one id,
    // which the services' inbox consumes once.
    private static async Task ForwardAsync(
        IChannel channel, string queue, BasicGetResult delivery, BasicProperties properties, CancellationToken stop)
    {
        try
        {
            await channel.BasicPublishAsync("", queue, mandatory: true, properties, delivery.Body, stop);
        }
        catch (PublishException exception)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"RabbitMQ did not take {DeadLetter.NameOf(delivery)} for {queue}; it stays where it was. {exception.Message}",
                exception);
        }

        await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, CancellationToken.None);
    }
}
