using System.Text.Json;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>A digest as read from the queue without MassTransit.</summary>
internal sealed record ReceivedDigest(string UserId, IReadOnlyList<string> Alarms, string MessageId, JsonElement Body)
{
    private static readonly string[] _shown = ["AlarmID", "Status", "LatestChangedAt"];

    public static ReceivedDigest Of(BasicDeliverEventArgs delivery)
    {
        using var json = JsonDocument.Parse(delivery.Body);
        var body = json.RootElement.Clone();
        return new ReceivedDigest(
            body.GetProperty("UserID").GetString()!,
            [
                .. body.GetProperty("ActiveAlarms")
                    .EnumerateArray()
                    .Select(alarm => string.Join(' ', _shown.Select(name => alarm.GetProperty(name).GetString()))),
            ],
            delivery.BasicProperties.MessageId!,
            body
        );
    }
}

/// <summary>Reads the digests of a test's users from the queue <c>AlarmDigest</c>, without duplicates.</summary>
internal sealed class DigestReader : IAsyncDisposable
{
    private readonly Channel<ReceivedDigest> _digests = Channel.CreateUnbounded<ReceivedDigest>();
    private readonly HashSet<string> _seen = [];
    private readonly IChannel _channel;

    private DigestReader(IChannel channel) => _channel = channel;

    public bool IsEmpty => !_digests.Reader.TryPeek(out _);

    /// <param name="system">Whose digests.</param>
    /// <param name="users">How the names of the users begin.</param>
    public static async Task<DigestReader> StartAsync(TestSystem system, string users)
    {
        var reader = new DigestReader(await system.OpenChannelAsync());
        var consumer = new AsyncEventingBasicConsumer(reader._channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            var digest = ReceivedDigest.Of(delivery);
            if (digest.UserId.StartsWith(users, StringComparison.Ordinal) && reader._seen.Add(digest.MessageId))
                await reader._digests.Writer.WriteAsync(digest);
        };
        await reader._channel.BasicConsumeAsync("AlarmDigest", autoAck: true, consumer);
        return reader;
    }

    public async Task<ReceivedDigest> NextAsync() => await _digests.Reader.ReadAsync(Eventually.Cancellation());

    public ValueTask DisposeAsync() => _channel.DisposeAsync();
}
