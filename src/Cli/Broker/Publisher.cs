using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Broker;

/// <summary>Publishes messages to the exchange of their type, and knows that the broker has them.</summary>
/// <param name="broker">The broker.</param>
/// <param name="terminal">Where progress is told and the clock is.</param>
internal sealed class Publisher(BrokerConnection broker, Terminal terminal)
{
    // Messages on their way to the broker at a time: enough to fill the connection, and few enough that a broker
    // that stops confirming is noticed before much is sent.
    private const int Batch = 1_000;

    // A broker that confirms nothing for this long is blocked (memory or disk alarm) or gone.
    private static readonly TimeSpan _confirmsWithin = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _tellsEvery = TimeSpan.FromSeconds(1);

    /// <summary>Publishes messages of one type.</summary>
    /// <param name="exchange">The exchange, named as the message.</param>
    /// <param name="queues">The queues that must exist: what no queue takes is dropped by the broker.</param>
    /// <param name="messages">What to publish.</param>
    /// <param name="stop">Stops after the batch that is on its way.</param>
    /// <exception cref="CommandException">No queue takes them, or the broker did not confirm all of them.</exception>
    public async Task PublishAsync(
        string exchange,
        IReadOnlyList<string> queues,
        IReadOnlyList<OutgoingMessage> messages,
        CancellationToken stop)
    {
        foreach (var queue in queues)
        {
            if (await broker.CountAsync(queue, stop) is null)
                throw NobodyListens(exchange, $"the queue {queue} does not exist");
        }

        await using var channel = await broker.OpenConfirmedChannelAsync(stop);
        var done = 0;
        var started = terminal.Time.GetTimestamp();
        var told = started;
        try
        {
            foreach (var batch in messages.Chunk(Batch))
            {
                stop.ThrowIfCancellationRequested();
                await PublishBatchAsync(channel, exchange, batch);
                done += batch.Length;
                if (done == messages.Count || terminal.Time.GetElapsedTime(told) < _tellsEvery)
                    continue;

                told = terminal.Time.GetTimestamp();
                var perSecond = done / terminal.Time.GetElapsedTime(started).TotalSeconds;
                await terminal.Error.WriteLineAsync($"{done:N0} of {messages.Count:N0} published ({perSecond:N0}/s)");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync($"Stopped: {done:N0} of {messages.Count:N0} messages were published.");
            throw;
        }
        catch (Exception exception) when (exception is PublishException { IsReturn: true }
            or OperationInterruptedException { ShutdownReason.ReplyCode: 404 })
        {
            throw NobodyListens(exchange, $"no queue is bound to the exchange {exchange}");
        }
        catch (Exception exception) when (exception is PublishException or RabbitMQClientException or OperationCanceledException)
        {
            throw Unconfirmed(done, messages.Count, exception);
        }
    }

    private async Task PublishBatchAsync(IChannel channel, string exchange, OutgoingMessage[] batch)
    {
        using var timeout = new CancellationTokenSource(_confirmsWithin, terminal.Time);
        var confirms = new Task[batch.Length];
        for (var i = 0; i < batch.Length; i++)
        {
            var now = terminal.Time.GetUtcNow();
            var properties = new BasicProperties
            {
                MessageId = batch[i].MessageId.ToString("D"),
                ContentType = Envelope.ContentType,
                DeliveryMode = DeliveryModes.Persistent,
                Timestamp = new AmqpTimestamp(now.ToUnixTimeSeconds()),
            };
            var body = Envelope.Serialize(batch[i], now);
            confirms[i] = channel.BasicPublishAsync(exchange, "", mandatory: true, properties, body, timeout.Token).AsTask();
        }

        await Task.WhenAll(confirms);
    }

    private static CommandException NobodyListens(string exchange, string why) => new(
        ExitCode.Failed,
        $"Not published: {why}, so RabbitMQ would drop {exchange} messages. Start the services first: "
        + "`docker-compose up -d` (or `./sagas demo`); they declare their queues when they start.");

    private static CommandException Unconfirmed(int done, int count, Exception exception)
    {
        var why = exception is OperationCanceledException
            ? $"it confirmed nothing for {_confirmsWithin.TotalSeconds:N0} s; is it short of memory or disk?"
            : exception.Message;
        return new CommandException(
            ExitCode.Failed,
            $"RabbitMQ did not confirm every message: {why} {done:N0} of {count:N0} are certain, of the next "
            + $"{Math.Min(Batch, count - done):N0} some may have arrived. Publishing the same ids again is safe.",
            exception);
    }
}
