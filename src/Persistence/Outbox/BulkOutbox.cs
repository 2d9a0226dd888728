using MassTransit.Context;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Serialization;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>Adds messages to the outbox without a bus, in the transaction of a bulk load; a relay publishes them. The outbox's
/// table has its default name, in the connection's search path.</summary>
public static class BulkOutbox
{
    private static readonly SystemTextJsonMessageSerializer _serializer = new();

    // There is no context here that could name another table.
    private static readonly OutboxSql _sql = new("outbox_message", transitions: null);

    /// <summary>The statement that inserts messages.</summary>
    /// <typeparam name="T">The message.</typeparam>
    /// <param name="messages">The messages; at least one.</param>
    /// <param name="exchange">The exchange that they are published to.</param>
    /// <param name="conversationId">Their conversation.</param>
    /// <param name="timeProvider">The clock.</param>
    public static NpgsqlBatchCommand Insert<T>(
        IEnumerable<T> messages,
        string exchange,
        Guid conversationId,
        TimeProvider timeProvider
    )
        where T : class
    {
        var address = new Uri($"exchange:{exchange}");
        return _sql.InsertMessages([.. messages.Select(Row)]);

        OutboxMessage Row(T message)
        {
            var context = new MessageSendContext<T>(message)
            {
                DestinationAddress = address,
                ConversationId = conversationId,
                Serializer = _serializer,
            };
            return OutboxMessageFactory.Create(context, timeProvider);
        }
    }
}
