using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Alarms;

/// <summary>What a digest told of one alarm.</summary>
internal sealed record Told(string AlarmId, string Status, string ChangedAt);

/// <summary>A digest from the queue.</summary>
internal sealed record Digest(string MessageId, string UserId, IReadOnlyList<Told> Alarms);

/// <summary>Compares all digests that arrived with what was reported, alarm by alarm.</summary>
internal sealed class DigestAudit(RunningSystem system, AlarmWorkload workload)
{
    private const string Queue = "AlarmDigest";

    private static readonly string[] _queues = ["AlarmStatusChanged", "SendAlarmDigest"];

    /// <summary>Digests, each once.</summary>
    public int Digests { get; private set; }

    /// <summary>Digests that the broker had more than once, under one message id.</summary>
    public int Repeated { get; private set; }

    /// <summary>Alarms told in all digests together.</summary>
    public int TellingsOfAlarms { get; private set; }

    /// <summary>Newest changes, of active alarms, that no digest told.</summary>
    public int Lost { get; private set; }

    /// <summary>Changes that two digests told.</summary>
    public int ToldTwice { get; private set; }

    /// <summary>Checks that everything balances.</summary>
    public async Task BalancesAsync()
    {
        await NothingIsLeftAsync();
        var arrived = await ReadAsync();
        var digests = arrived.DistinctBy(digest => digest.MessageId).ToArray();
        (Digests, Repeated) = (digests.Length, arrived.Count - digests.Length);
        var last = new Dictionary<(int User, int Alarm), int>();
        var problems = new List<string>();
        foreach (var digest in digests)
            problems.AddRange(digest.Alarms.Select(told => Check(digest, told, last)).OfType<string>().Concat(CheckOrder(digest)));
        foreach (var (alarm, number) in workload.Newest)
        {
            if (!workload.Reports[number].IsActive || (last.TryGetValue(alarm, out var told) && told == number))
                continue;
            Lost++;
            problems.Add($"Lost: {workload.Reports[number]}");
        }

        Assert.True(problems.Count == 0, $"{problems.Count} problems, such as:\n{string.Join('\n', problems.Take(20))}");
        var recorded = await system.LinesAsync("SELECT message_id FROM alarm_digest");
        Assert.Equal(recorded.Order(), digests.Select(digest => digest.MessageId).Order());
    }

    // Arrival is the order in which a reader sees them, also across digests.
    private string? Check(Digest digest, Told told, Dictionary<(int User, int Alarm), int> last)
    {
        TellingsOfAlarms++;
        var number = Instant(told);
        if (number >= workload.Reports.Length)
            return $"Never reported: {digest.UserId} {told}";
        var report = workload.Reports[number];
        if ((report.UserId, report.AlarmId, report.Status, report.ChangedAt) != (digest.UserId, told.AlarmId, told.Status, told.ChangedAt) || !report.IsActive)
            return $"{digest.UserId} was told {told}, and what was reported is {report}";
        var alarm = (report.User, report.Alarm);
        if (last.TryGetValue(alarm, out var before) && before >= number)
        {
            if (before == number)
                ToldTwice++;
            return before == number ? $"Told twice: {report}" : $"Told after a newer one: {report}";
        }

        last[alarm] = number;
        return null;
    }

    private static IEnumerable<string> CheckOrder(Digest digest)
    {
        if (digest.Alarms.Count == 0)
            yield return $"An empty digest for {digest.UserId}";
        if (!digest.Alarms.Select(Instant).SequenceEqual(digest.Alarms.Select(Instant).Order()))
            yield return $"Not the oldest first: digest {digest.MessageId} of {digest.UserId}";
    }

    private static int Instant(Told told) => Report.NumberOf(told.ChangedAt);

    private async Task NothingIsLeftAsync()
    {
        await using var connection = await Broker.ConnectAsync(system.RabbitMq);
        var found = new List<string>();
        foreach (var queue in _queues)
        {
            if (await Broker.CountAsync(connection, queue) is var count and not 0)
                found.Add($"{queue}: {count}");
            found.AddRange(await Broker.PeekAsync(connection, queue + "_error", 10));
        }

        Assert.True(found.Count == 0, $"Messages are left in queues:\n{string.Join('\n', found)}");
    }

    private async Task<List<Digest>> ReadAsync()
    {
        await using var connection = await Broker.ConnectAsync(system.RabbitMq);
        await using var channel = await connection.CreateChannelAsync();
        var count = (await channel.QueueDeclarePassiveAsync(Queue)).MessageCount;
        var arriving = Channel.CreateUnbounded<Digest>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) => arriving.Writer.WriteAsync(Read(message)).AsTask();
        await channel.BasicConsumeAsync(Queue, autoAck: true, consumer);
        using var timeout = new CancellationTokenSource(Eventually.Timeout);
        var digests = new List<Digest>();
        while (digests.Count < count)
            digests.Add(await arriving.Reader.ReadAsync(timeout.Token));
        return digests;
    }

    private static Digest Read(BasicDeliverEventArgs message)
    {
        using var json = JsonDocument.Parse(Encoding.UTF8.GetString(message.Body.Span));
        var alarms = json.RootElement.GetProperty("ActiveAlarms").EnumerateArray().Select(alarm => new Told(
            alarm.GetProperty("AlarmID").GetString()!, alarm.GetProperty("Status").GetString()!, alarm.GetProperty("LatestChangedAt").GetString()!));
        return new Digest(message.BasicProperties.MessageId!, json.RootElement.GetProperty("UserID").GetString()!, [.. alarms]);
    }
}
