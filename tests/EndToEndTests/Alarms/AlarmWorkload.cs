using System.Globalization;
using Sagas.Contracts;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Alarms;

/// <summary>A change that is reported, named by its number: the higher, the newer.</summary>
internal readonly record struct Report(int Number, int User, int Alarm, int StatusNumber)
{
    private static readonly long _start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();

    /// <summary>Seconds since 1970 of the first change.</summary>
    public static long Start => _start;

    public string UserId => string.Create(CultureInfo.InvariantCulture, $"u-{User}");

    public string AlarmId => string.Create(CultureInfo.InvariantCulture, $"a-{Alarm}");

    public string Status => AlarmStatus.All[StatusNumber];

    public bool IsActive => Status != AlarmStatus.Cleared;

    /// <summary>Times differ by nanoseconds only, which define the order of the changes.</summary>
    public string ChangedAt => Instant.FromUnixTime(_start, Number).ToString();

    public static int NumberOf(string changedAt) => Instant.Parse(changedAt).Nanosecond;

    public PlainMessage ToMessage() =>
        new(
            "AlarmStatusChanged",
            $$"""{"AlarmID":"{{AlarmId}}","UserID":"{{UserId}}","Status":"{{Status}}","ChangedAt":"{{ChangedAt}}"}"""
        );
}

/// <summary>Changes out of order, some of them reported twice, and among them requests for digests.</summary>
internal sealed class AlarmWorkload
{
    private const int ReportedTwiceOfHundred = 2;

    // Changes are shuffled within chunks of this many.
    private const int Disorder = 2_000;

    private readonly int[] _requests;

    /// <param name="users">How many users.</param>
    /// <param name="alarms">How many alarms each of them has.</param>
    /// <param name="changes">How many changes.</param>
    /// <param name="requests">How many requests for digests.</param>
    /// <param name="random">Decides everything else.</param>
    public AlarmWorkload(int users, int alarms, int changes, int requests, Random random)
    {
        Users = users;
        Reports =
        [
            .. Enumerable
                .Range(0, changes)
                .Select(number => new Report(number, random.Next(users), random.Next(alarms), random.Next(3))),
        ];
        _requests = [.. Enumerable.Range(0, requests).Select(_ => random.Next(users))];
        Arrival =
        [
            .. Reports
                .Chunk(Disorder)
                .SelectMany(chunk =>
                {
                    Report[] arriving = [.. chunk, .. chunk.Where(_ => random.Next(100) < ReportedTwiceOfHundred)];
                    random.Shuffle(arriving);
                    return arriving;
                }),
        ];
        Newest = Reports
            .GroupBy(report => (report.User, report.Alarm))
            .ToDictionary(group => group.Key, group => group.Max(report => report.Number));
    }

    public int Users { get; }

    /// <summary>The changes in the order of their times.</summary>
    public Report[] Reports { get; }

    /// <summary>The changes in the order in which they are published.</summary>
    public Report[] Arrival { get; }

    public int Requests => _requests.Length;

    /// <summary>The number of each alarm's newest change.</summary>
    public IReadOnlyDictionary<(int User, int Alarm), int> Newest { get; }

    /// <summary>A part of what is published, the requests spread evenly over it.</summary>
    /// <param name="part">From 0.</param>
    /// <param name="parts">The number of parts.</param>
    public IEnumerable<PlainMessage> Part(int part, int parts)
    {
        var changes = Slice(Arrival, part, parts).Select(report => report.ToMessage()).ToArray();
        var requests = Slice(_requests, part, parts).Select(Request).ToArray();
        var sent = 0;
        for (var index = 0; index < changes.Length; index++)
        {
            yield return changes[index];
            for (; sent < requests.Length && sent * changes.Length <= index * requests.Length; sent++)
                yield return requests[sent];
        }
    }

    public static PlainMessage Request(int user) => new("SendAlarmDigest", $$"""{"UserID":"u-{{user}}"}""");

    private static ArraySegment<T> Slice<T>(T[] all, int part, int parts)
    {
        var (from, to) = ((long)all.Length * part / parts, (long)all.Length * (part + 1) / parts);
        return new ArraySegment<T>(all, (int)from, (int)(to - from));
    }
}
