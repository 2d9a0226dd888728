using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>The expected alarms and digests of one user: the reference that the statements are compared with.</summary>
internal sealed class AlarmModel
{
    private readonly Dictionary<string, (string Status, Instant ChangedAt, bool Sent)> _alarms = [];

    public void Change(AlarmChange change)
    {
        if (!_alarms.TryGetValue(change.AlarmId, out var known) || change.ChangedAt > known.ChangedAt)
            _alarms[change.AlarmId] = (change.Status, change.ChangedAt, false);
    }

    public List<ActiveAlarm> Digest()
    {
        var digest = _alarms
            .Where(alarm => !alarm.Value.Sent && alarm.Value.Status != "CLEARED")
            .Select(alarm => new ActiveAlarm(alarm.Key, alarm.Value.Status, alarm.Value.ChangedAt))
            .OrderBy(alarm => alarm.LatestChangedAt)
            .ThenBy(alarm => alarm.AlarmId, StringComparer.Ordinal)
            .ToList();
        foreach (var alarm in digest)
            _alarms[alarm.AlarmId] = (alarm.Status, alarm.LatestChangedAt, true);
        return digest;
    }
}
