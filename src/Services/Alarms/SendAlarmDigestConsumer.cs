using MassTransit;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Sagas.Contracts;
using Sagas.Database;

namespace Sagas.Services.Alarms;

/// <summary>
/// Publishes a digest in the transaction that marks its alarms as digested. A change that commits before the digest locks its
/// row is in the digest; a later one is left for the next digest.
/// </summary>
internal sealed class SendAlarmDigestConsumer(SagasDbContext database) : IConsumer<SendAlarmDigest>
{
    // More alarms than this are several digests, in order, so that no message is too large for brokers and readers.
    private const int MaxAlarms = 5000;

    public async Task Consume(ConsumeContext<SendAlarmDigest> context)
    {
        var userId = context.Message.UserId.Trim();
        var correlationId = SagaIdentity.AlarmUser(userId);
        var connection = (NpgsqlConnection)database.Database.GetDbConnection();
        var (alarms, earlierUnsent) = await AlarmRows.TakeAsync(connection, userId, correlationId, context.CancellationToken);
        if (alarms.Length == 0)
            return;
        if (earlierUnsent)
            throw new EarlierDigestUnsentException();
        foreach (var part in alarms.Chunk(MaxAlarms))
        {
            var (digest, messageId) = (new AlarmDigest(userId, part), NewId.NextGuid());
            await AlarmRows.TellAsync(connection, digest, messageId, context.MessageId, context.CancellationToken);
            await context.Publish(
                digest,
                publish =>
                {
                    publish.MessageId = messageId;
                    publish.CorrelationId = correlationId;
                    publish.Serializer = AlarmDigestSerializer.Instance;
                },
                context.CancellationToken
            );
        }
    }
}

/// <summary>
/// The user's digest before this one is committed and not published yet; sent by another process or after a restart it
/// could arrive after this one. Declared as a timeout, so that it is retried.
/// </summary>
internal sealed class EarlierDigestUnsentException() : TimeoutException("The user's earlier digest has not been sent yet.");

/// <summary>The queue of <see cref="SendAlarmDigestConsumer"/>.</summary>
internal sealed class SendAlarmDigestConsumerDefinition : ConsumerDefinition<SendAlarmDigestConsumer>
{
    public SendAlarmDigestConsumerDefinition() => EndpointName = AlarmsModule.RequestsQueue;

    // The queue's exchange is the message's exchange: there is nothing to bind.
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<SendAlarmDigestConsumer> consumerConfigurator,
        IRegistrationContext context
    ) => endpointConfigurator.ConfigureConsumeTopology = false;
}
