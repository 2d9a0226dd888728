using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>The system's clock, but calls time out only when a test makes them, not because the machine is busy.</summary>
/// <remarks>
/// Each call has a <see cref="FakeTimeProvider"/> of its own. One for all would time out every call in flight together with
/// the one that hangs, and a call that the gateway is still working on would then be looked up, not found and made again.
/// </remarks>
internal sealed class CallTime : TimeProvider
{
    // A call's timeout is set up where its request is built, on the same thread.
    [ThreadStatic]
    private static string? _next;

    private readonly ConcurrentDictionary<string, FakeTimeProvider> _clocks = new();

    /// <summary>Assigns the next timeout to this call.</summary>
    public void NextIs(string key) => _next = key;

    /// <summary>Makes the call time out.</summary>
    public void End(string key) => _clocks[key].Advance(TargetSettings.Never);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        dueTime == TargetSettings.Never && _next is { } key
            ? (_clocks[key] = new FakeTimeProvider()).CreateTimer(callback, state, dueTime, period)
            : base.CreateTimer(callback, state, dueTime, period);
}
