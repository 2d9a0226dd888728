using FsCheck;
using FsCheck.Fluent;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>A step in a user's history: changes that arrive together, or a request for a digest (no changes).</summary>
/// <param name="Changes">The changes, in the order of their arrival.</param>
/// <param name="Cut">The first attempt ends before its commit, as when the process is killed; the broker delivers again.</param>
internal sealed record AlarmStep(IReadOnlyList<AlarmChange> Changes, bool Cut)
{
    public bool IsDigest => Changes.Count == 0;

    public override string ToString() =>
        (
            IsDigest
                ? "digest"
                : string.Join(", ", Changes.Select(change => $"{change.AlarmId} {change.Status} {change.ChangedAt}"))
        ) + (Cut ? " (cut)" : "");
}

/// <summary>What happens to one user's alarms. Changes come out of order and repeatedly.</summary>
internal sealed record AlarmHistory(IReadOnlyList<AlarmStep> Steps)
{
    private const int MaxSteps = 12;

    // Few alarms and few times, so that repetitions, ties and reordering are common. Some times differ by a nanosecond only,
    // and some are one moment written in two ways.
    private static readonly string[] _alarms = ["a", "B", "ä"];

    private static readonly Instant[] _times =
    [
        Instant.Parse("2021-06-07T20:40:15Z"),
        Instant.Parse("2021-06-07T20:40:15.000000001Z"),
        Instant.Parse("2021-06-07T20:40:15.1Z"),
        Instant.Parse("2021-06-07T20:40:15.100000000Z"),
        Instant.Parse("2021-06-07T20:40:15.100000999Z"),
        Instant.Parse("2021-06-07T22:40:15.2+02:00"),
        Instant.Parse("2021-06-07T20:40:15.999999999Z"),
        Instant.Parse("2021-06-07T20:40:16Z"),
        Instant.Parse("1970-01-01T00:00:00Z"),
    ];

    /// <summary>Many users' histories.</summary>
    public static Arbitrary<AlarmHistory[]> Many(int users)
    {
        var change = Gen.Elements(_alarms)
            .SelectMany(_ => Gen.Elements(AlarmStatus.All.ToArray()), (alarm, status) => (alarm, status))
            .SelectMany(_ => Gen.Elements(_times), (alarm, time) => new AlarmChange("", alarm.alarm, alarm.status, time));
        var changes = Gen.Choose(1, 5).SelectMany(count => Gen.ArrayOf(change, count));
        var arrival = changes.SelectMany(Gen.Shuffle);
        var digest = Gen.Constant(Array.Empty<AlarmChange>());
        var cut = Gen.Choose(0, 4).Select(number => number == 0);
        var step = Gen.Frequency((3, arrival), (2, digest)).SelectMany(_ => cut, (what, isCut) => new AlarmStep(what, isCut));
        var history = Gen.Choose(2, MaxSteps).SelectMany(count => Gen.ArrayOf(step, count)).SelectMany(Repeat);
        return Arb.From(Gen.ArrayOf(history.Select(steps => new AlarmHistory(steps)), users), Shrink);
    }

    public override string ToString() => string.Join("; ", Steps);

    // What arrived once may arrive again, at any later point: the broker delivers again what was not acknowledged.
    private static Gen<AlarmStep[]> Repeat(AlarmStep[] steps) =>
        Gen.Choose(0, steps.Length - 1)
            .SelectMany(
                _ => Gen.Choose(0, 2),
                (which, times) => (AlarmStep[])[.. steps, .. Enumerable.Repeat(steps[which], times)]
            );

    // First to the user whose digests are wrong, then to the steps that cause it.
    private static IEnumerable<AlarmHistory[]> Shrink(AlarmHistory[] histories)
    {
        if (histories.Length > 1)
            return [histories[..(histories.Length / 2)], histories[(histories.Length / 2)..]];
        var steps = histories.Length == 0 ? [] : histories[0].Steps;
        return Enumerable
            .Range(0, steps.Count)
            .Select(without => (AlarmHistory[])[new AlarmHistory([.. steps.Where((_, index) => index != without)])]);
    }
}
