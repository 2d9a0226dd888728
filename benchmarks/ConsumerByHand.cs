using System.Globalization;
using System.Text.Json;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Sagas.Benchmarks;

/// <summary>
/// A consumer as one writes it with the two clients alone: each message is a transaction with its inbox row, the order and the
/// outgoing message, which is published after the commit.
/// </summary>
internal sealed class ConsumerByHand : IAsyncDisposable
{
    // As many as the sagas' prefetch.
    private const ushort Concurrency = 64;

    private static readonly Guid _consumer = Guid.NewGuid();

    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NpgsqlDataSource _database;
    private readonly string _exchange;
    private readonly IConnection _connection;
    private readonly IChannel _channel;

    private ConsumerByHand(NpgsqlDataSource database, string exchange, IConnection connection, IChannel channel) =>
        (_database, _exchange, _connection, _channel) = (database, exchange, connection, channel);

    /// <summary>Fails with the first message that fails.</summary>
    public Task Failed => _failed.Task;

    public static async Task<ConsumerByHand> StartAsync(
        NpgsqlDataSource database,
        Uri rabbitMq,
        string exchange,
        CancellationToken cancellationToken
    )
    {
        var connection = await new ConnectionFactory { Uri = rabbitMq }.CreateConnectionAsync(cancellationToken);
        var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(
                publisherConfirmationsEnabled: true,
                publisherConfirmationTrackingEnabled: true,
                consumerDispatchConcurrency: Concurrency
            ),
            cancellationToken
        );
        var consumer = new ConsumerByHand(database, exchange, connection, channel);
        await channel.BasicQosAsync(0, Concurrency, global: false, cancellationToken);
        var events = new AsyncEventingBasicConsumer(channel);
        events.ReceivedAsync += (_, delivery) => consumer.ConsumeAsync(delivery);
        await channel.BasicConsumeAsync(OutboxBenchmarkHost.Queue, autoAck: false, events, cancellationToken);
        return consumer;
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }

    // The client would swallow it, and the benchmark wait for ever.
    private async Task ConsumeAsync(BasicDeliverEventArgs delivery)
    {
        try
        {
            await HandleAsync(delivery);
        }
        catch (Exception exception)
        {
            _failed.TrySetException(exception);
        }
    }

    private async Task HandleAsync(BasicDeliverEventArgs delivery)
    {
        using var document = JsonDocument.Parse(delivery.Body);
        var message = document.RootElement.GetProperty("message");
        var order = message.GetProperty("orderId").GetGuid();
        // MassTransit writes decimals as text.
        var amount = decimal.Parse(message.GetProperty("amount").GetString()!, CultureInfo.InvariantCulture);
        var body = JsonSerializer.SerializeToUtf8Bytes(new OrderAccepted(order, amount));
        var sequenceNumber = await CommitAsync(Guid.Parse(delivery.BasicProperties.MessageId!), order, amount, body);
        await _channel.BasicPublishAsync(_exchange, "", mandatory: false, new BasicProperties { Persistent = true }, body);
        await using (var delete = _database.CreateCommand("DELETE FROM outbox_message WHERE sequence_number = $1"))
        {
            delete.Parameters.Add(new NpgsqlParameter<long> { TypedValue = sequenceNumber });
            await delete.ExecuteNonQueryAsync();
        }

        await _channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
    }

    private async Task<long> CommitAsync(Guid messageId, Guid order, decimal amount, byte[] body)
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(
            connection,
            "INSERT INTO inbox_state (message_id, consumer_id) VALUES ($1, $2)",
            new NpgsqlParameter<Guid> { TypedValue = messageId },
            new NpgsqlParameter<Guid> { TypedValue = _consumer }
        );
        await ExecuteAsync(
            connection,
            "INSERT INTO order_state (correlation_id, current_state, amount, created_at) VALUES ($1, 'Accepted', $2, now())",
            new NpgsqlParameter<Guid> { TypedValue = order },
            new NpgsqlParameter<decimal> { TypedValue = amount }
        );
        var sequenceNumber = await ExecuteAsync(
            connection,
            """
            INSERT INTO outbox_message (message_id, outbox_id, batch_id, destination_address, message_type, content_type, body)
            VALUES (gen_random_uuid(), gen_random_uuid(), $1, '', '', 'application/json', $2) RETURNING sequence_number
            """,
            new NpgsqlParameter<Guid> { TypedValue = order },
            new NpgsqlParameter<string> { TypedValue = System.Text.Encoding.UTF8.GetString(body) }
        );
        await transaction.CommitAsync();
        return (long)sequenceNumber!;
    }

    private static async Task<object?> ExecuteAsync(NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteScalarAsync();
    }
}
