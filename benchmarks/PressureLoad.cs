using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Sagas.Benchmarks;

/// <summary>
/// Keeps a number of sagas under way: whenever the event of one arrives, the message that starts the next is published.
/// </summary>
internal sealed class PressureLoad(IBus bus, IChannel sink)
{
    /// <summary>How many events are taken at a time: each waits until the broker has the message of the next saga.</summary>
    public const ushort Concurrency = 64;

    private readonly ConcurrentDictionary<Guid, long> _started = new();
    private readonly ConcurrentQueue<double> _latencies = new();
    private int _wanted;
    private int _underWay;
    private int _number;

    /// <summary>Takes events from a queue.</summary>
    public async Task StartAsync(string queue, CancellationToken cancellationToken)
    {
        await sink.BasicQosAsync(0, Concurrency, global: false, cancellationToken);
        var events = new AsyncEventingBasicConsumer(sink);
        events.ReceivedAsync += async (_, delivery) =>
        {
            await TakeAsync(delivery.Body);
            await sink.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await sink.BasicConsumeAsync(queue, autoAck: false, events, cancellationToken);
    }

    /// <summary>Changes how many are under way; zero lets the last ones end.</summary>
    public async Task KeepAsync(int wanted)
    {
        Volatile.Write(ref _wanted, wanted);
        while (Volatile.Read(ref _underWay) < Volatile.Read(ref _wanted))
            await BeginAsync();
    }

    /// <summary>The milliseconds from message to event, of those that arrived since the last call, in ascending order.</summary>
    public double[] TakeLatencies()
    {
        var taken = new List<double>();
        while (_latencies.TryDequeue(out var latency))
            taken.Add(latency);
        taken.Sort();
        return [.. taken];
    }

    private async Task BeginAsync()
    {
        var order = NewId.NextGuid();
        _started[order] = Stopwatch.GetTimestamp();
        Interlocked.Increment(ref _underWay);
        await bus.Publish(new OrderSubmitted(order, Interlocked.Increment(ref _number)));
    }

    // An event may come twice: what is sent before a kill is sent again. Only the first counts.
    private async Task TakeAsync(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        var order = document.RootElement.GetProperty("message").GetProperty("orderId").GetGuid();
        if (!_started.TryRemove(order, out var started))
            return;
        _latencies.Enqueue(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        if (Interlocked.Decrement(ref _underWay) < Volatile.Read(ref _wanted))
            await BeginAsync();
    }
}
