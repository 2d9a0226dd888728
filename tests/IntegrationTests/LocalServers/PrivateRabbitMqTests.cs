using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.LocalServers;
using static Sagas.IntegrationTests.LocalServers.Ports;
using static Sagas.TestSupport.Servers.Broker;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.LocalServers;

[Collection(OwnServers.Name)]
public sealed class PrivateRabbitMqTests
{
    [PrivateServersFact]
    public async Task Keeps_confirmed_messages_when_it_is_stopped_and_when_it_is_killed()
    {
        await using var broker = await PrivateRabbitMq.StartAsync(Eventually.Cancellation());
        var host = await broker.CreateVirtualHostAsync("kept", Eventually.Cancellation());

        await PublishAsync(host, "one");
        await broker.StopAsync(Eventually.Cancellation());
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(host));
        await broker.StartAgainAsync(Eventually.Cancellation());

        await PublishAsync(host, "two");
        await broker.KillAsync(Eventually.Cancellation());
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(host));
        await broker.StartAgainAsync(Eventually.Cancellation());

        Assert.Equal(["one", "two"], await ReceiveAsync(host, 2));
    }

    [PrivateServersFact]
    public async Task Two_at_once_do_not_disturb_each_other()
    {
        var brokers = await Task.WhenAll(PrivateRabbitMq.StartAsync(Eventually.Cancellation()), PrivateRabbitMq.StartAsync(Eventually.Cancellation()));
        await using var first = brokers[0];
        await using var second = brokers[1];
        var host = await first.CreateVirtualHostAsync("mine", Eventually.Cancellation());
        await using var connection = await ConnectAsync(host);

        await second.KillAsync(Eventually.Cancellation());
        await first.CreateVirtualHostAsync("still-managed", Eventually.Cancellation());
        await second.StartAgainAsync(Eventually.Cancellation());

        Assert.True(connection.IsOpen);
        Assert.True(await HasVirtualHostAsync(host));
        Assert.False(await HasVirtualHostAsync(new Uri(second.Uri, "mine")));
        await first.DeleteVirtualHostAsync("mine", Eventually.Cancellation());
        Assert.False(await HasVirtualHostAsync(host));
    }

    [PrivateServersFact]
    public async Task Virtual_hosts_can_be_made_through_its_management_plugin_when_asked_for()
    {
        await using var broker = await PrivateRabbitMq.StartAsync(management: true, Eventually.Cancellation());
        using var hosts = new VirtualHosts(broker.Uri, broker.ManagementUri);

        var host = await hosts.CreateAsync("given");
        await PublishAsync(host, "one");
        await hosts.DeleteAsync("given");

        Assert.False(await HasVirtualHostAsync(host));
    }

    [PrivateServersFact]
    public async Task Nothing_of_it_stays_when_it_is_disposed_of()
    {
        var broker = await PrivateRabbitMq.StartAsync(Eventually.Cancellation());
        var port = broker.Uri.Port;
        Assert.True(Listens(port));

        await broker.DisposeAsync();

        Assert.False(Listens(port));
        await Assert.ThrowsAsync<InvalidOperationException>(() => broker.CreateVirtualHostAsync("late", Eventually.Cancellation()));
    }

    private static async Task PublishAsync(Uri host, string text)
    {
        await using var connection = await ConnectAsync(host);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        await DeclareQueueAsync(channel);
        await channel.BasicPublishAsync(
            "", "kept", mandatory: true, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, Encoding.UTF8.GetBytes(text));
    }

    private static async Task<List<string>> ReceiveAsync(Uri host, int count)
    {
        await using var connection = await ConnectAsync(host);
        await using var channel = await connection.CreateChannelAsync();
        await DeclareQueueAsync(channel);
        var received = new List<string>();
        var patience = Eventually.Cancellation();
        while (received.Count < count)
        {
            if (await channel.BasicGetAsync("kept", autoAck: true) is { } message)
                received.Add(Encoding.UTF8.GetString(message.Body.Span));
            else
                await Task.Delay(50, patience);
        }

        return received;
    }

    private static Task DeclareQueueAsync(IChannel channel) =>
        channel.QueueDeclareAsync(
            "kept", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
}
