using Polly;
using Polly.CircuitBreaker;

namespace Sagas.Services.Ledger;

/// <summary>Says how many calls a target gets: its adaptive limit, its circuit breaker, and the pause it asked for.</summary>
internal sealed class TargetGate
{
    private readonly AdaptiveLimit _limit;
    private readonly TimeProvider _time;
    private readonly CallSlots? _slots;
    private readonly CircuitBreakerStateProvider _breaker = new();
    private readonly ResiliencePipeline<CallResult> _pipeline;
    private long _blockedUntil = long.MinValue;

    public TargetGate(
        LedgerOptions options, TimeProvider time, Action<TimeSpan>? opened = null, Action? closed = null, CallSlots? slots = null)
    {
        _limit = new AdaptiveLimit(options, time);
        (_time, _slots) = (time, slots);
        var strategy = new CircuitBreakerStrategyOptions<CallResult>
        {
            FailureRatio = options.BreakerFailureRatio,
            MinimumThroughput = options.BreakerMinimumCalls,
            SamplingDuration = options.BreakerSampling,
            StateProvider = _breaker,
            ShouldHandle = ended => ValueTask.FromResult(ended.Outcome.Result is { Health: CallHealth.Failed }),
            BreakDurationGenerator = failed => ValueTask.FromResult(BreakDuration(options, failed.HalfOpenAttempts)),
            OnOpened = broken =>
            {
                Block(broken.BreakDuration);
                opened?.Invoke(broken.BreakDuration);
                return default;
            },
            OnClosed = _ =>
            {
                closed?.Invoke();
                return default;
            },
        };
        _pipeline = new ResiliencePipelineBuilder<CallResult> { TimeProvider = time }.AddCircuitBreaker(strategy).Build();
    }

    /// <summary>Calls at once that may be in flight now: 0 while blocked, 1 while the breaker probes.</summary>
    public int Limit => Blocked > TimeSpan.Zero ? 0 : Math.Min(Breaker == CircuitState.Closed ? _limit.Current : 1, _slots?.Places ?? int.MaxValue);

    /// <summary>Whether calls wait for slots that all processes share.</summary>
    public bool HasSlots => _slots is not null;

    /// <summary>The limit that good answers earned.</summary>
    public int AdaptedLimit => _limit.Current;

    /// <summary>Recent latency, milliseconds.</summary>
    public double RecentMilliseconds => _limit.RecentMilliseconds;

    /// <summary>State of the circuit breaker.</summary>
    public CircuitState Breaker => _breaker.CircuitState;

    /// <summary>How much longer no call may start.</summary>
    public TimeSpan Blocked
    {
        get
        {
            var until = Volatile.Read(ref _blockedUntil);
            var now = _time.GetTimestamp();
            var paused = _slots?.Paused ?? TimeSpan.Zero;
            var blocked = until <= now ? TimeSpan.Zero : _time.GetElapsedTime(now, until);
            return blocked > paused ? blocked : paused;
        }
    }

    /// <summary>Makes a call unless the breaker forbids it.</summary>
    /// <param name="call">The call.</param>
    /// <param name="atOnce">Calls in flight, this one included.</param>
    /// <param name="cancellation">Forgets the call.</param>
    /// <returns>Null: the breaker forbade it and no call was made.</returns>
    public async ValueTask<CallResult?> RunAsync(
        Func<CancellationToken, ValueTask<CallResult>> call, Func<int> atOnce, CancellationToken cancellation)
    {
        var started = _time.GetTimestamp();
        CallResult result;
        try
        {
            result = await _pipeline.ExecuteAsync(static (made, token) => made(token), call, cancellation);
        }
        catch (BrokenCircuitException)
        {
            return null;
        }

        // With slots a refusal corrects the rate; fewer calls at once besides would only make that rate unreachable.
        if (result.Health == CallHealth.Refused && _slots is not null)
            return result;
        var pause = result is { Health: CallHealth.Refused, Verdict.After: { } asked } ? asked : TimeSpan.Zero;
        _limit.Ended(result.Health, _time.GetElapsedTime(started), atOnce(), pause);
        if (pause > TimeSpan.Zero)
            Block(pause);
        return result;
    }

    private static TimeSpan BreakDuration(LedgerOptions options, int failedProbes)
    {
        var wait = options.BreakBase * Math.Pow(2, Math.Min(failedProbes, 30));
        return wait < options.BreakCap ? wait : options.BreakCap;
    }

    private void Block(TimeSpan wait)
    {
        var until = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
        // Two calls may both ask for a pause: the longer holds.
        var held = Volatile.Read(ref _blockedUntil);
        while (until > held)
        {
            var seen = Interlocked.CompareExchange(ref _blockedUntil, until, held);
            if (seen == held)
                return;
            held = seen;
        }
    }
}
