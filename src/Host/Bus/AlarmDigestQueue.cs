using MassTransit;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.Host.Bus;

/// <summary>The queue <c>AlarmDigest</c>, for readers that expect one of that name. Others bind a queue of their own to the exchange.</summary>
internal static class AlarmDigestQueue
{
    /// <summary>Declares and binds the queue when queues are deployed, so that readers can come before the first digest.</summary>
    public static void UseAlarmDigestQueue(this IRabbitMqBusFactoryConfigurator bus, IRegistrationContext context, bool onlyDeploy)
    {
        var options = context.GetRequiredService<IOptions<AlarmsOptions>>().Value;
        if (!options.DigestQueue)
            return;
        bus.DeployPublishTopology = onlyDeploy;
        bus.Publish<AlarmDigest>(digest => digest.BindQueue(AlarmServices.DigestsQueue, AlarmServices.DigestsQueue, queue =>
        {
            queue.SetQueueArgument("x-queue-type", "quorum");
            // A queue that nobody reads must not fill the broker's disk.
            queue.SetQueueArgument("x-message-ttl", (long)options.DigestQueueKeeps.TotalMilliseconds);
        }));
    }
}
