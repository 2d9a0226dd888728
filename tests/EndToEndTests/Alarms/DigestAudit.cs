using System.Text.Json;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Alarms;

/// <summary>One alarm in a digest.</summary>
internal sealed record DigestAlarm(string AlarmId, string Status, string ChangedAt);

/// <summary>A digest from the queue.</summary>
internal sealed record Digest(string MessageId, string UserId, IReadOnlyList<DigestAlarm> Alarms);

/// <summary>Compares all digests that arrived with what was reported, alarm by alarm.</summary>
internal sealed class DigestAudit(RunningSystem system, AlarmWorkload workload)
{
    private const string Queue = "AlarmDigest";

    /// <summary>Digests, each once.</summary>
    public int Digests { get; private set; }

    /// <summary>Digests delivered more than once under one message id.</summary>
    public int Repeated { get; private set; }

    /// <summary>The number of alarms in all digests.</summary>
    public int AlarmsInDigests { get; private set; }

    /// <summary>Checks that everything balances.</summary>
    public async Task BalancesAsync()
    {
        Digest[] arrived = [.. (await Broker.DrainAsync(system.RabbitMq, Queue)).Select(Read)];
        var digests = arrived.DistinctBy(digest => digest.MessageId).ToArray();
        (Digests, Repeated) = (digests.Length, arrived.Length - digests.Length);
        var last = new Dictionary<(int User, int Alarm), int>();
        var problems = new List<string>();
        foreach (var digest in digests)
        {
            problems.AddRange(digest.Alarms.Select(sent => Check(digest, sent, last)).OfType<string>());
            problems.AddRange(CheckOrder(digest));
        }

        foreach (var (alarm, number) in workload.Newest)
        {
            if (!workload.Reports[number].IsActive || (last.TryGetValue(alarm, out var sent) && sent == number))
                continue;
            problems.Add($"Lost: {workload.Reports[number]}");
        }

        Assert.True(problems.Count == 0, $"{problems.Count} problems, such as:\n{string.Join('\n', problems.Take(20))}");
        var recorded = await system.LinesAsync("SELECT message_id FROM alarm_digest");
        Assert.Equal(recorded.Order(), digests.Select(digest => digest.MessageId).Order());
    }

    // Arrival is the order in which a reader sees them, also across digests.
    private string? Check(Digest digest, DigestAlarm sent, Dictionary<(int User, int Alarm), int> last)
    {
        AlarmsInDigests++;
        var number = Instant(sent);
        if (number >= workload.Reports.Length)
            return $"Never reported: {digest.UserId} {sent}";
        var report = workload.Reports[number];
        var reported = (report.UserId, report.AlarmId, report.Status, report.ChangedAt);
        if (reported != (digest.UserId, sent.AlarmId, sent.Status, sent.ChangedAt) || !report.IsActive)
            return $"{digest.UserId} received {sent}, but {report} was published";
        var alarm = (report.User, report.Alarm);
        if (last.TryGetValue(alarm, out var before) && before >= number)
            return before == number ? $"Sent twice: {report}" : $"Sent after a newer one: {report}";

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

    private static int Instant(DigestAlarm sent) => Report.NumberOf(sent.ChangedAt);

    private static Digest Read(QueuedMessage message)
    {
        using var json = JsonDocument.Parse(message.Body);
        var alarms = json
            .RootElement.GetProperty("ActiveAlarms")
            .EnumerateArray()
            .Select(alarm => new DigestAlarm(
                alarm.GetProperty("AlarmID").GetString()!,
                alarm.GetProperty("Status").GetString()!,
                alarm.GetProperty("LatestChangedAt").GetString()!
            ));
        return new Digest(message.MessageId, json.RootElement.GetProperty("UserID").GetString()!, [.. alarms]);
    }
}
