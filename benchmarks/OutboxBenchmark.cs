using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RabbitMQ.Client;
using Sagas.Persistence;
using Sagas.Services;

namespace Sagas.Benchmarks;

/// <summary>
/// Sagas per second through RabbitMQ and Postgres: each message creates a saga, which publishes an event. The queue is filled
/// first; the clock runs from the first saga's row to the last event's arrival in a queue without a consumer.
/// </summary>
internal sealed class OutboxBenchmark(Func<string, CancellationToken, Task<string>> createDatabase, Uri rabbitMq)
{
    private const string Sink = "order-accepted-sink";
    private const string SinkExchange = "Sagas.Benchmarks:OrderAccepted";

    private const string FillOutbox = """
        INSERT INTO outbox_message (message_id, batch_id, destination_address, message_type, content_type, body, conversation_id)
        SELECT id, id, $2, 'urn:message:Sagas.Benchmarks:OrderAccepted', 'application/vnd.masstransit+json',
               format('{
                   "messageId": "%s",
                   "conversationId": "%s",
                   "sourceAddress": "rabbitmq://localhost/order-saga",
                   "destinationAddress": "rabbitmq://localhost/Sagas.Benchmarks:OrderAccepted",
                   "messageType": ["urn:message:Sagas.Benchmarks:OrderAccepted"],
                   "message": {"orderId": "%s", "amount": %s},
                   "sentTime": "2026-01-01T00:00:00Z",
                   "headers": {}
               }', id, id, id, number),
               id
        FROM (SELECT number, gen_random_uuid() AS id FROM generate_series(1, $1) number) rows
        """;

    private int _databases;

    /// <summary>One run in a database of its own.</summary>
    /// <returns>Sagas per second.</returns>
    public async Task<double> MeasureSagasAsync(int sagas, OutboxKind outbox, CancellationToken cancellationToken)
    {
        var postgres = await CreateDatabaseAsync(cancellationToken);
        await using var connection = await new ConnectionFactory { Uri = rabbitMq }.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await FillAsync(channel, postgres, sagas, cancellationToken);
        using var host = OutboxBenchmarkHost.Create(postgres, rabbitMq, outbox);
        var measured = MeasureSinkAsync(channel, sagas, cancellationToken);
        await host.StartAsync(cancellationToken);
        var elapsed = await measured;
        await host.StopAsync(cancellationToken);
        return sagas / elapsed.TotalSeconds;
    }

    /// <summary>The same messages through a consumer that is written by hand: a transaction each, and no saga.</summary>
    /// <returns>Messages per second.</returns>
    public async Task<double> MeasureByHandAsync(int messages, CancellationToken cancellationToken)
    {
        var postgres = await CreateDatabaseAsync(cancellationToken);
        await using var connection = await new ConnectionFactory { Uri = rabbitMq }.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await FillAsync(channel, postgres, messages, cancellationToken);
        await using var dataSource = NpgsqlDataSource.Create(OutboxBenchmarkHost.Pooled(postgres));
        var measured = MeasureSinkAsync(channel, messages, cancellationToken);
        await using var consumer = await ConsumerByHand.StartAsync(dataSource, rabbitMq, SinkExchange, cancellationToken);
        await await Task.WhenAny(measured, consumer.Failed);
        return messages / (await measured).TotalSeconds;
    }

    /// <summary>Publishes bodies as those of the relay by RabbitMQ's client alone, and waits for the confirms.</summary>
    /// <returns>Messages per second.</returns>
    public async Task<double> MeasurePublishAsync(int messages, CancellationToken cancellationToken)
    {
        await using var connection = await new ConnectionFactory { Uri = rabbitMq }.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await DeclareSinkAsync(channel, cancellationToken);
        var measured = MeasureSinkAsync(channel, messages, cancellationToken);
        await BarePublisher.PublishAsync(connection, SinkExchange, messages, cancellationToken);
        return messages / (await measured).TotalSeconds;
    }

    /// <summary>Lets the relay alone send a backlog, in a database of its own.</summary>
    /// <param name="waiting">Rows in the table.</param>
    /// <param name="drained">How many of them are waited for.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <returns>Rows per second.</returns>
    public async Task<double> MeasureRelayAsync(int waiting, int drained, CancellationToken cancellationToken)
    {
        var postgres = await CreateDatabaseAsync(cancellationToken);
        await using var connection = await new ConnectionFactory { Uri = rabbitMq }.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await DeclareSinkAsync(channel, cancellationToken);
        await using (var dataSource = NpgsqlDataSource.Create(postgres))
        {
            await using var fill = dataSource.CreateCommand(FillOutbox);
            fill.CommandTimeout = 600;
            fill.Parameters.Add(new NpgsqlParameter<int> { TypedValue = waiting });
            fill.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"exchange:{SinkExchange}" });
            await fill.ExecuteNonQueryAsync(cancellationToken);
            await using var vacuum = dataSource.CreateCommand("VACUUM ANALYZE outbox_message");
            vacuum.CommandTimeout = 600;
            await vacuum.ExecuteNonQueryAsync(cancellationToken);
        }

        using var host = OutboxBenchmarkHost.Create(postgres, rabbitMq, OutboxKind.Transactional, consume: false);
        var measured = MeasureSinkAsync(channel, drained, cancellationToken);
        await host.StartAsync(cancellationToken);
        var elapsed = await measured;
        await host.StopAsync(cancellationToken);
        return drained / elapsed.TotalSeconds;
    }

    /// <summary>An empty database with the tables of the sagas and of the benchmark.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var postgres = await createDatabase($"outbox_benchmark_{_databases++}", cancellationToken);
        await using var dataSource = NpgsqlDataSource.Create(postgres);
        await SchemaMigrator.MigrateAsync(dataSource, Features.Product.Migrations, null, cancellationToken);
        await using var command = dataSource.CreateCommand(BenchmarkDbContext.CreateTable);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return postgres;
    }

    private static async Task<TimeSpan> MeasureSinkAsync(IChannel channel, int expected, CancellationToken cancellationToken)
    {
        while (await channel.MessageCountAsync(Sink, cancellationToken) == 0)
            await Task.Delay(1, cancellationToken);
        var clock = Stopwatch.StartNew();
        while (await channel.MessageCountAsync(Sink, cancellationToken) < expected)
            await Task.Delay(2, cancellationToken);
        return clock.Elapsed;
    }

    /// <summary>Declares the queue that the events arrive in, and empties it.</summary>
    /// <returns>Its name.</returns>
    public static async Task<string> DeclareSinkAsync(IChannel channel, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(
            SinkExchange,
            ExchangeType.Fanout,
            durable: true,
            cancellationToken: cancellationToken
        );
        await channel.QueueDeclareAsync(
            Sink,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" },
            cancellationToken: cancellationToken
        );
        await channel.QueueBindAsync(Sink, SinkExchange, "", cancellationToken: cancellationToken);
        await channel.QueuePurgeAsync(Sink, cancellationToken);
        return Sink;
    }

    private async Task FillAsync(IChannel channel, string postgres, int sagas, CancellationToken cancellationToken)
    {
        using (var topology = OutboxBenchmarkHost.Create(postgres, rabbitMq, OutboxKind.None))
        {
            // Declares the queue, and the exchanges bound to it.
            await topology.StartAsync(cancellationToken);
            await topology.StopAsync(cancellationToken);
        }

        await DeclareSinkAsync(channel, cancellationToken);
        await channel.QueuePurgeAsync(OutboxBenchmarkHost.Queue, cancellationToken);
        using var producer = OutboxBenchmarkHost.Create(postgres, rabbitMq, OutboxKind.None, consume: false);
        await producer.StartAsync(cancellationToken);
        var bus = producer.Services.GetRequiredService<IBus>();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, sagas),
            new ParallelOptions { MaxDegreeOfParallelism = 200, CancellationToken = cancellationToken },
            async (number, token) => await bus.Publish(new OrderSubmitted(NewId.NextGuid(), number), token)
        );
        await producer.StopAsync(cancellationToken);
    }
}
