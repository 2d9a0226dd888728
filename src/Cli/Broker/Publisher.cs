using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Broker;

/// <summary>Publishes messages to the exchange of their type, with publisher confirms.</summary>
/// <remarks>
/// Without MassTransit's bus, whose start costs a command 0.75 s of processor time (1.15 s against 0.4 s); which retries to
/// connect where this reports a wrong password immediately; and which declares the exchanges that the services own.
/// </remarks>
internal sealed class Publisher(BrokerConnection broker, Terminal terminal)
{
    // Unconfirmed messages: enough to fill the connection, and few enough that a broker that stops confirming is noticed
    // before much is sent.
    private const int BatchSize = 1_000;

    // A broker that confirms nothing for this long is blocked (memory or disk alarm) or unavailable.
    private static readonly TimeSpan _confirmTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _progressInterval = TimeSpan.FromSeconds(1);

    /// <summary>Publishes messages of one type; cancellation stops it between two batches.</summary>
    /// <param name="queues">The queues that must exist: RabbitMQ drops a message that no queue takes.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="cancellationToken">Stops after the batch that is being confirmed.</param>
    /// <exception cref="CommandException">No queue takes them, or the broker did not confirm all of them.</exception>
    public async Task PublishAsync<T>(
        IReadOnlyList<string> queues,
        IReadOnlyList<OutgoingMessage<T>> messages,
        CancellationToken cancellationToken
    )
        where T : class
    {
        // As the services name it: ContractEntityNameFormatter.
        var exchange = typeof(T).Name;
        foreach (var queue in queues)
        {
            if (await broker.CountAsync(queue, cancellationToken) is null)
                throw NotRouted(exchange, $"the queue {queue} does not exist");
        }

        await using var channel = await broker.OpenConfirmedChannelAsync(cancellationToken);
        var done = 0;
        var started = terminal.TimeProvider.GetTimestamp();
        var reported = started;
        try
        {
            foreach (var batch in messages.Chunk(BatchSize))
            {
                cancellationToken.ThrowIfCancellationRequested();
                await PublishBatchAsync(channel, exchange, batch);
                done += batch.Length;
                if (done == messages.Count || terminal.TimeProvider.GetElapsedTime(reported) < _progressInterval)
                    continue;

                reported = terminal.TimeProvider.GetTimestamp();
                var perSecond = done / terminal.TimeProvider.GetElapsedTime(started).TotalSeconds;
                await terminal.Error.WriteLineAsync($"{done:N0} of {messages.Count:N0} published ({perSecond:N0}/s)");
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync($"Interrupted: {done:N0} of {messages.Count:N0} messages were published.");
            throw;
        }
        catch (Exception exception)
            when (exception
                    is PublishException { IsReturn: true }
                        or OperationInterruptedException { ShutdownReason.ReplyCode: 404 }
            )
        {
            throw NotRouted(exchange, $"no queue is bound to the exchange {exchange}");
        }
        catch (Exception exception) when (exception is PublishException or RabbitMQClientException or OperationCanceledException)
        {
            throw Unconfirmed(done, messages.Count, exception);
        }
    }

    private async Task PublishBatchAsync<T>(IChannel channel, string exchange, OutgoingMessage<T>[] batch)
        where T : class
    {
        using var timeout = new CancellationTokenSource(_confirmTimeout, terminal.TimeProvider);
        var confirms = new Task[batch.Length];
        for (var i = 0; i < batch.Length; i++)
        {
            var properties = new BasicProperties
            {
                MessageId = batch[i].MessageId.ToString("D"),
                ContentType = Envelope.ContentType,
                DeliveryMode = DeliveryModes.Persistent,
                Timestamp = new AmqpTimestamp(terminal.TimeProvider.GetUtcNow().ToUnixTimeSeconds()),
            };
            var body = Envelope.Serialize(batch[i]);
            confirms[i] = channel.BasicPublishAsync(exchange, "", mandatory: true, properties, body, timeout.Token).AsTask();
        }

        await Task.WhenAll(confirms);
    }

    private static CommandException NotRouted(string exchange, string why) =>
        new(
            ExitCode.Failed,
            $"Not published: {why}, so RabbitMQ would drop {exchange} messages. Start the services first, which declare their "
                + "queues: `docker-compose up -d` or `./sagas demo`."
        );

    private static CommandException Unconfirmed(int done, int count, Exception exception)
    {
        var why =
            exception is OperationCanceledException
                ? $"no confirm for {_confirmTimeout.TotalSeconds:N0} s; check RabbitMQ's memory and disk alarms."
                : exception.Message;
        return new CommandException(
            ExitCode.Failed,
            $"RabbitMQ did not confirm every message: {why} {done:N0} of {count:N0} messages are confirmed; of the next "
                + $"{Math.Min(BatchSize, count - done):N0} some may have arrived. Publish the same ids again: they are not "
                + "processed twice.",
            exception
        );
    }
}
