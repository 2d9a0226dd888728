namespace Sagas.IntegrationTests.Alerts;

/// <summary>A clock that stands still until it is told to go on.</summary>
internal sealed class SkippedTime : TimeProvider
{
    private long _timestamp;

    public TimeSpan Now => GetElapsedTime(0, _timestamp);

    public override long GetTimestamp() => _timestamp;

    public void SkipTo(long timestamp) => _timestamp = Math.Max(_timestamp, timestamp);

    public void Skip(TimeSpan time) => _timestamp += (long)(time.TotalSeconds * TimestampFrequency);
}
