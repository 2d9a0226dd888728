using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.LocalServers;
using static Sagas.IntegrationTests.LocalServers.Ports;
using static Sagas.TestSupport.Servers.Broker;

namespace Sagas.IntegrationTests.LocalServers;

// A broker takes seconds of processor time to start: these tests share the one that others kill too.
[Collection(nameof(KillableServers))]
public sealed class PrivateRabbitMqTests(KillableServers servers)
{
    private const string Queue = "kept";

    [PrivateServersFact]
    public async Task Keeps_confirmed_messages_when_it_is_stopped_and_when_it_is_killed_without_affecting_another()
    {
        await using var other = await PrivateRabbitMq.StartAsync(Eventually.Cancellation());
        var mine = await other.CreateVirtualHostAsync("mine", Eventually.Cancellation());
        await using var connection = await ConnectAsync(mine);
        await using var host = await servers.CreateVirtualHostAsync("kept");

        await PublishAsync(host.Uri, "one");
        await servers.RabbitMq.StopAsync(Eventually.Cancellation());
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(host.Uri));
        await servers.RabbitMq.StartAgainAsync(Eventually.Cancellation());

        await PublishAsync(host.Uri, "two");
        await servers.RabbitMq.KillAsync(Eventually.Cancellation());
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(host.Uri));
        await other.CreateVirtualHostAsync("still-managed", Eventually.Cancellation());
        await servers.RabbitMq.StartAgainAsync(Eventually.Cancellation());

        Assert.Equal(["one", "two"], await ReceiveAsync(host.Uri, 2));
        Assert.True(connection.IsOpen);
        Assert.True(await HasVirtualHostAsync(mine));
        Assert.False(await HasVirtualHostAsync(new Uri(servers.RabbitMq.Uri, "mine")));
        await other.DeleteVirtualHostAsync("mine", Eventually.Cancellation());
        Assert.False(await HasVirtualHostAsync(mine));

        await other.DisposeAsync();
        Assert.False(Listens(mine.Port));
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            other.CreateVirtualHostAsync("late", Eventually.Cancellation())
        );
        Assert.True(await HasVirtualHostAsync(host.Uri));
    }

    private static async Task PublishAsync(Uri host, string text)
    {
        await using var connection = await ConnectAsync(host);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        await DeclareQueueAsync(channel);
        var properties = new BasicProperties { DeliveryMode = DeliveryModes.Persistent };
        await channel.BasicPublishAsync("", Queue, mandatory: true, properties, Encoding.UTF8.GetBytes(text));
    }

    private static async Task<List<string>> ReceiveAsync(Uri host, int count)
    {
        await using var connection = await ConnectAsync(host);
        await using var channel = await connection.CreateChannelAsync();
        await DeclareQueueAsync(channel);
        var received = new List<string>();
        while (received.Count < count)
            received.Add(Encoding.UTF8.GetString((await TakeAsync(channel, Queue)).Body.Span));
        return received;
    }

    private static Task DeclareQueueAsync(IChannel channel) =>
        channel.QueueDeclareAsync(
            Queue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }
        );
}
