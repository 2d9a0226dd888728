using MassTransit;
using MassTransit.Middleware;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using Sagas.Services.Messages;

namespace Sagas.Host.Bus;

/// <summary>
/// Has an endpoint use its queues and exchanges as they are where they exist with other arguments, and move messages to the error
/// queue without what their producers told the broker.
/// </summary>
internal sealed class ExistingQueueFilter(QueueConflicts conflicts) : IFilter<ChannelContext>
{
    public Task Send(ChannelContext context, IPipe<ChannelContext> next) => next.Send(new Channel(context, conflicts));

    public void Probe(ProbeContext context) => context.CreateFilterScope("existingQueue");

    private sealed class Channel(ChannelContext inner, QueueConflicts conflicts) : ProxyPipeContext(inner), ChannelContext
    {
        IChannel ChannelContext.Channel => inner.Channel;

        public ConnectionContext ConnectionContext => inner.ConnectionContext;

        public async Task<QueueDeclareOk> QueueDeclare(
            string queue,
            bool durable,
            bool exclusive,
            bool autoDelete,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        )
        {
            await conflicts.DeclareQueueAsync(
                inner.ConnectionContext.Connection,
                queue,
                channel =>
                    channel.QueueDeclareAsync(
                        queue,
                        durable,
                        exclusive,
                        autoDelete,
                        arguments!,
                        cancellationToken: cancellationToken
                    ),
                cancellationToken
            );
            return await inner.QueueDeclarePassive(queue, cancellationToken);
        }

        public async Task ExchangeDeclare(
            string exchange,
            string type,
            bool durable,
            bool autoDelete,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        )
        {
            await conflicts.DeclareExchangeAsync(
                inner.ConnectionContext.Connection,
                exchange,
                channel =>
                    channel.ExchangeDeclareAsync(
                        exchange,
                        type,
                        durable,
                        autoDelete,
                        arguments!,
                        cancellationToken: cancellationToken
                    ),
                cancellationToken
            );
            await inner.ExchangeDeclarePassive(exchange, cancellationToken);
        }

        public Task<QueueDeclareOk> QueueDeclarePassive(string queue, CancellationToken cancellationToken) =>
            inner.QueueDeclarePassive(queue, cancellationToken);

        public Task ExchangeDeclarePassive(string exchange, CancellationToken cancellationToken) =>
            inner.ExchangeDeclarePassive(exchange, cancellationToken);

        public Task ExchangeBind(
            string destination,
            string source,
            string routingKey,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => inner.ExchangeBind(destination, source, routingKey, arguments, cancellationToken);

        public Task QueueBind(
            string queue,
            string exchange,
            string routingKey,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => inner.QueueBind(queue, exchange, routingKey, arguments, cancellationToken);

        public Task<uint> QueuePurge(string queue, CancellationToken cancellationToken) =>
            inner.QueuePurge(queue, cancellationToken);

        public Task BasicPublishAsync(
            string exchange,
            string routingKey,
            bool mandatory,
            BasicProperties basicProperties,
            byte[] body,
            bool awaitAck,
            CancellationToken cancellationToken
        )
        {
            RoutingProperties.Remove(basicProperties);
            return inner.BasicPublishAsync(exchange, routingKey, mandatory, basicProperties, body, awaitAck, cancellationToken);
        }

        public Task BasicQos(uint prefetchSize, ushort prefetchCount, bool global, CancellationToken cancellationToken) =>
            inner.BasicQos(prefetchSize, prefetchCount, global, cancellationToken);

        public ValueTask BasicAck(ulong deliveryTag, bool multiple, CancellationToken cancellationToken) =>
            inner.BasicAck(deliveryTag, multiple, cancellationToken);

        public Task BasicNack(ulong deliveryTag, bool multiple, bool requeue, CancellationToken cancellationToken) =>
            inner.BasicNack(deliveryTag, multiple, requeue, cancellationToken);

        public Task<string> BasicConsume(
            string queue,
            bool noAck,
            bool exclusive,
            IDictionary<string, object> arguments,
            IAsyncBasicConsumer consumer,
            string consumerTag,
            CancellationToken cancellationToken
        ) => inner.BasicConsume(queue, noAck, exclusive, arguments, consumer, consumerTag, cancellationToken);

        public Task BasicCancel(string consumerTag, CancellationToken cancellationToken) =>
            inner.BasicCancel(consumerTag, cancellationToken);

        public void NotifyFaulted(Exception exception, Uri inputAddress) => inner.NotifyFaulted(exception, inputAddress);
    }
}
