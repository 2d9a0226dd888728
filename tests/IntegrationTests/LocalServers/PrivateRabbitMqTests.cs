using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Harness.LocalServers;
using static Sagas.IntegrationTests.LocalServers.PrivateServers;

namespace Sagas.IntegrationTests.LocalServers;

[Collection(Collection)]
public sealed class PrivateRabbitMqTests
{
    [PrivateServersFact]
    public async Task Keeps_confirmed_messages_when_it_is_stopped_and_when_it_is_killed()
    {
        await using var broker = await PrivateRabbitMq.StartAsync(Soon());
        var host = await broker.CreateVirtualHostAsync("kept", Soon());

        await PublishAsync(host, "one");
        await broker.StopAsync(Soon());
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(host));
        await broker.StartAgainAsync(Soon());

        await PublishAsync(host, "two");
        await broker.KillAsync(Soon());
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(host));
        await broker.StartAgainAsync(Soon());

        Assert.Equal(["one", "two"], await ReceiveAsync(host, 2));
    }

    [PrivateServersFact]
    public async Task Two_at_once_do_not_disturb_each_other()
    {
        var brokers = await Task.WhenAll(PrivateRabbitMq.StartAsync(Soon()), PrivateRabbitMq.StartAsync(Soon()));
        await using var first = brokers[0];
        await using var second = brokers[1];
        var host = await first.CreateVirtualHostAsync("mine", Soon());
        await using var connection = await ConnectAsync(host);

        await second.KillAsync(Soon());
        await first.CreateVirtualHostAsync("still-managed", Soon());
        await second.StartAgainAsync(Soon());

        Assert.True(connection.IsOpen);
        Assert.True(await HasVirtualHostAsync(host));
        Assert.False(await HasVirtualHostAsync(new Uri(second.Uri, "mine")));
        await first.DeleteVirtualHostAsync("mine", Soon());
        Assert.False(await HasVirtualHostAsync(host));
    }

    [PrivateServersFact]
    public async Task Virtual_hosts_can_be_made_through_its_management_plugin_when_asked_for()
    {
        await using var broker = await PrivateRabbitMq.StartAsync(management: true, Soon());
        await using var given = new GivenRabbitMq(broker.Uri, broker.ManagementUri);

        var host = await given.CreateVirtualHostAsync("given");
        await PublishAsync(host, "one");
        await given.DeleteVirtualHostAsync("given");

        Assert.False(await HasVirtualHostAsync(host));
    }

    [PrivateServersFact]
    public async Task Nothing_of_it_stays_when_it_is_disposed_of()
    {
        var broker = await PrivateRabbitMq.StartAsync(Soon());
        var port = broker.Uri.Port;
        Assert.True(Listens(port));

        await broker.DisposeAsync();

        Assert.False(Listens(port));
        await Assert.ThrowsAsync<InvalidOperationException>(() => broker.CreateVirtualHostAsync("late", Soon()));
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
        var patience = Soon();
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
