using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Transports;

namespace Sagas.Persistence;

/// <summary>
/// Creates batches of messages that one statement inserts, in any transaction, for the relay to publish.
/// </summary>
/// <remarks>For work on many messages at once, where a transaction per message, or an entity per row, would cost too
/// much.</remarks>
public sealed class OutboxBatches
{
    private readonly IBus _bus;
    private readonly OutboxDatabase _database;
    private readonly TimeProvider _timeProvider;
    private readonly OutboxSignal _signal;

    internal OutboxBatches(IBus bus, OutboxDatabase database, TimeProvider timeProvider, OutboxSignal signal) =>
        (_bus, _database, _timeProvider, _signal) = (bus, database, timeProvider, signal);

    /// <summary>Serializes messages to be published. Each keeps its MessageId when the statement is executed again.</summary>
    /// <typeparam name="T">The message.</typeparam>
    /// <param name="messages">The messages; at least one.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<OutboxBatch> CreateAsync<T>(IReadOnlyCollection<T> messages, CancellationToken cancellationToken)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(messages);
        var endpoint = (ITransportSendEndpoint)await _bus.GetPublishSendEndpoint<T>();
        var rows = new List<OutboxMessage>(messages.Count);
        foreach (var message in messages)
        {
            var context = await endpoint.CreateSendContext(message, Pipe.Empty<SendContext<T>>(), cancellationToken);
            context.MessageId ??= NewId.NextGuid();
            rows.Add(OutboxMessageFactory.Create(context, _timeProvider));
        }

        return new OutboxBatch(rows, _database.Tables.Outbox, _signal);
    }
}
