using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Serialization;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>A message as it arrived from the broker.</summary>
internal sealed record Arrival(Guid MessageId, string Name, int Number, DateTime At)
{
    public Guid? ConversationId { get; init; }

    public Uri? SourceAddress { get; init; }

    public IReadOnlyList<string> MessageTypes { get; init; } = [];
}

/// <summary>Messages from the broker, in the order of their arrival.</summary>
internal sealed class Arrivals
{
    private readonly ConcurrentQueue<Arrival> _all = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly TestSignal _arrived = new();

    public IReadOnlyList<Arrival> All => [.. _all];

    /// <summary>Why messages failed.</summary>
    public IReadOnlyList<string> Faults => [.. _faults];

    public IReadOnlyList<int> NumbersOf(string name) =>
        [.. _all.Where(arrival => arrival.Name == name).Select(arrival => arrival.Number)];

    /// <summary>Without those that a consumer's inbox would skip.</summary>
    public IReadOnlyList<int> DistinctNumbersOf(string name) =>
        [
            .. _all.Where(arrival => arrival.Name == name)
                .DistinctBy(arrival => arrival.MessageId)
                .Select(arrival => arrival.Number),
        ];

    public Task CountAsync(int expected) => CountAsync("messages", expected, () => _all.Count);

    public Task CountAsync(string name, int expected) =>
        CountAsync($"messages '{name}'", expected, () => _all.Count(arrival => arrival.Name == name));

    public Task CountDistinctAsync(int expected) =>
        CountAsync("different messages", expected, () => _all.DistinctBy(arrival => arrival.MessageId).Count());

    public Task FaultsAsync(int expected) => _arrived.EqualAsync("faults", expected, () => _faults.Count);

    // With the faults: they say why messages are missing.
    private Task CountAsync(string what, int expected, Func<int> count) =>
        _arrived.MatchesAsync(
            $"{what}: {expected}",
            () => (Count: count(), Faults: string.Join("; ", _faults)),
            seen => seen.Count == expected
        );

    public Task NoteAsync(ConsumeContext<WorkDone> context)
    {
        _all.Enqueue(
            new Arrival(context.MessageId!.Value, context.Message.Name, context.Message.Number, DateTime.UtcNow)
            {
                ConversationId = context.ConversationId,
                SourceAddress = context.SourceAddress,
                MessageTypes = [.. context.SupportedMessageTypes],
            }
        );
        _arrived.Raise();
        return Task.CompletedTask;
    }

    public Task NoteFaultAsync(IEnumerable<ExceptionInfo> exceptions)
    {
        _faults.Enqueue(
            string.Join(
                "; ",
                exceptions.Select(exception =>
                    $"{exception.ExceptionType}: {exception.Message} {exception.InnerException?.Message}"
                )
            )
        );
        _arrived.Raise();
        return Task.CompletedTask;
    }
}

/// <summary>Counts finished deliveries, successful or not.</summary>
internal sealed class Deliveries : IReceiveObserver
{
    private readonly ConcurrentDictionary<string, int> _settled = new();
    private readonly TestSignal _changed = new();

    public Task SettledAsync(string queue, int expected) =>
        _changed.EqualAsync($"deliveries of {queue}", expected, () => _settled.GetValueOrDefault(queue));

    public Task AtLeastSettledAsync(string queue, int expected) =>
        _changed.MatchesAsync(
            $"at least {expected} deliveries of {queue}",
            () => _settled.GetValueOrDefault(queue),
            count => count >= expected
        );

    public Task PreReceive(ReceiveContext context) => Task.CompletedTask;

    public Task PostReceive(ReceiveContext context) => SettleAsync(context);

    public Task PostConsume<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
        where T : class => Task.CompletedTask;

    public Task ConsumeFault<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
        where T : class => Task.CompletedTask;

    public Task ReceiveFault(ReceiveContext context, Exception exception) => SettleAsync(context);

    private Task SettleAsync(ReceiveContext context)
    {
        _settled.AddOrUpdate(context.InputAddress.AbsolutePath.Split('/')[^1], 1, (_, count) => count + 1);
        _changed.Raise();
        return Task.CompletedTask;
    }
}

/// <summary>Sees the messages that publisher and relay send.</summary>
internal sealed class StoredMessageObserver(Func<SendContext, Task> sending) : ISendObserver
{
    public Task PreSend<T>(SendContext<T> context)
        where T : class => typeof(T) == typeof(SerializedMessageBody) ? sending(context) : Task.CompletedTask;

    public Task PostSend<T>(SendContext<T> context)
        where T : class => Task.CompletedTask;

    public Task SendFault<T>(SendContext<T> context, Exception exception)
        where T : class => Task.CompletedTask;
}
