using System.Collections.Concurrent;

namespace Sagas.IntegrationTests.Ledger;

/// <summary>The system's clock, but for the time-outs of calls: these come when a test has let a call hang, at once, and never
/// because a machine was busy.</summary>
internal sealed class CallTime : TimeProvider
{
    // A call's time-out is set up where its request is built, on the same thread.
    [ThreadStatic]
    private static string? _next;

    private readonly ConcurrentDictionary<string, TimeOut> _timeOuts = new();

    /// <summary>The next time-out is that of this call.</summary>
    public void NextIs(string key) => _next = key;

    /// <summary>The call's time is over.</summary>
    public void End(string key) => _timeOuts[key].End();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        dueTime == TargetSettings.Never && _next is { } key
            ? _timeOuts[key] = new TimeOut(() => callback(state))
            : base.CreateTimer(callback, state, dueTime, period);

    private sealed class TimeOut(Action end) : ITimer
    {
        public void End() => end();

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
