using System.Text.Json;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>A digest as a reader that knows nothing of MassTransit takes it from the queue.</summary>
internal sealed record ReceivedDigest(string UserId, IReadOnlyList<string> Alarms, string MessageId, JsonElement Body)
{
    public static ReceivedDigest Of(BasicDeliverEventArgs delivery)
    {
        using var json = JsonDocument.Parse(delivery.Body);
        var body = json.RootElement.Clone();
        return new ReceivedDigest(
            body.GetProperty("UserID").GetString()!,
            [.. body.GetProperty("ActiveAlarms").EnumerateArray().Select(alarm =>
                $"{alarm.GetProperty("AlarmID").GetString()} {alarm.GetProperty("Status").GetString()} {alarm.GetProperty("LatestChangedAt").GetString()}")],
            delivery.BasicProperties.MessageId!,
            body);
    }
}

/// <summary>Reads the queue <c>AlarmDigest</c>, and passes over what is sent again: it has the same message id.</summary>
internal sealed class DigestReader(ChannelReader<ReceivedDigest> digests)
{
    public static async Task<DigestReader> StartAsync(TestSystem system, string queue = "AlarmDigest")
    {
        var channel = await system.OpenChannelAsync();
        var digests = Channel.CreateUnbounded<ReceivedDigest>();
        var seen = new HashSet<string>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            if (seen.Add(delivery.BasicProperties.MessageId!))
                await digests.Writer.WriteAsync(ReceivedDigest.Of(delivery));
        };
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer);
        return new DigestReader(digests.Reader);
    }

    public async Task<ReceivedDigest> NextAsync()
    {
        using var timeout = new CancellationTokenSource(Eventually.Timeout);
        return await digests.ReadAsync(timeout.Token);
    }

    public bool IsEmpty => !digests.TryPeek(out _);
}
