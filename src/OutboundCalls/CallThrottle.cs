using Polly;
using Polly.CircuitBreaker;

namespace Sagas.OutboundCalls;

/// <summary>How many calls a target gets: adaptive concurrency, circuit breaker, and the pause that it asked for.</summary>
internal sealed class CallThrottle
{
    private const int ReportedThrottle = 4;

    private static readonly TimeSpan _reportedPause = TimeSpan.FromSeconds(10);

    private readonly AdaptiveConcurrencyLimiter _concurrency;
    private readonly TimeProvider _timeProvider;
    private readonly DistributedRateLimiter? _limiter;
    private readonly CircuitBreakerStateProvider _breaker = new();
    private readonly ResiliencePipeline<CallResult> _pipeline;
    private readonly TargetPause _pause;
    private readonly ThrottleFloor _floor;
    private readonly OutboundCallOptions _options;
    private readonly Action<TimeSpan, string>? _paused;
    private long _brokenUntil = long.MinValue;

    public CallThrottle(
        OutboundCallOptions options,
        TimeProvider timeProvider,
        Action<TimeSpan>? opened = null,
        Action? closed = null,
        DistributedRateLimiter? limiter = null,
        TargetPause? pause = null,
        Action<TimeSpan, string>? paused = null
    )
    {
        (_options, _pause, _paused) = (options, pause ?? new(timeProvider), paused);
        _floor = new(timeProvider);
        _concurrency = new AdaptiveConcurrencyLimiter(options, timeProvider);
        (_timeProvider, _limiter) = (timeProvider, limiter);
        var strategy = new CircuitBreakerStrategyOptions<CallResult>
        {
            FailureRatio = options.BreakerFailureRatio,
            MinimumThroughput = options.BreakerMinCalls,
            SamplingDuration = options.BreakerInterval,
            StateProvider = _breaker,
            ShouldHandle = call => ValueTask.FromResult(call.Outcome.Result is { Health: CallHealth.Failed }),
            BreakDurationGenerator = failed =>
                ValueTask.FromResult(
                    Backoff.Exponential(options.BreakerDelay, options.MaxBreakerDelay, failed.HalfOpenAttempts + 1)
                ),
            OnOpened = broken =>
            {
                Break(broken.BreakDuration);
                opened?.Invoke(broken.BreakDuration);
                return default;
            },
            OnClosed = _ =>
            {
                closed?.Invoke();
                return default;
            },
        };
        _pipeline = new ResiliencePipelineBuilder<CallResult> { TimeProvider = timeProvider }
            .AddCircuitBreaker(strategy)
            .Build();
    }

    /// <summary>Requests that may be in flight now: 0 while blocked, 1 while the breaker probes.</summary>
    public int Limit =>
        Blocked > TimeSpan.Zero
            ? 0
            : Math.Min(Breaker == CircuitState.Closed ? _concurrency.Current : 1, _limiter?.Share ?? int.MaxValue);

    /// <summary>Whether calls need permits that all processes share.</summary>
    public bool IsRateLimited => _limiter is not null;

    /// <summary>The adaptive limit alone, without breaker and pause.</summary>
    public int AdaptedLimit => _concurrency.Current;

    /// <summary>Recent latency, milliseconds.</summary>
    public double RecentMilliseconds => _concurrency.RecentMilliseconds;

    /// <summary>State of the circuit breaker.</summary>
    public CircuitState Breaker => _breaker.CircuitState;

    /// <summary>How much longer no call may start.</summary>
    public TimeSpan Blocked
    {
        get
        {
            var (until, now) = (Volatile.Read(ref _brokenUntil), _timeProvider.GetTimestamp());
            var broken = until <= now ? TimeSpan.Zero : _timeProvider.GetElapsedTime(now, until);
            var paused = _pause.Remaining;
            return broken > paused ? broken : paused;
        }
    }

    /// <summary>Makes a call unless the breaker forbids it.</summary>
    /// <param name="call">The call.</param>
    /// <param name="inFlight">Calls in flight, this one included.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Null: the breaker forbade it and no call was made.</returns>
    public async ValueTask<CallResult?> RunAsync(
        Func<CancellationToken, ValueTask<CallResult>> call,
        Func<int> inFlight,
        CancellationToken cancellationToken
    )
    {
        var started = _timeProvider.GetTimestamp();
        CallResult result;
        try
        {
            result = await _pipeline.ExecuteAsync(static (made, token) => made(token), call, cancellationToken);
        }
        catch (BrokenCircuitException)
        {
            return null;
        }

        if (result.Health == CallHealth.Healthy)
            _floor.Reset();
        if (result.Health == CallHealth.Throttled)
            result = result with { Pause = PauseFor(result.Outcome) };
        // With a rate limiter a 429 lowers the rate; lower concurrency as well would make that rate unreachable.
        if (result.Health == CallHealth.Throttled && _limiter is not null)
            return result;
        var asked = result is { Health: CallHealth.Throttled, Outcome.RetryAfter: { } pause } ? pause : TimeSpan.Zero;
        _concurrency.Record(result.Health, _timeProvider.GetElapsedTime(started), inFlight(), asked);
        if (result.Pause > TimeSpan.Zero)
            _pause.Extend(result.Pause);
        return result;
    }

    private TimeSpan PauseFor(CallOutcome outcome)
    {
        var (pause, times) = _floor.Next(outcome.RetryAfter ?? TimeSpan.Zero, _options.MaxRetryAfter);
        // Calls that are throttled now and then are how a rate is learned; a target that accepts none needs attention.
        if (times == ReportedThrottle || (times > 0 && pause >= _reportedPause))
            _paused?.Invoke(pause, outcome.Description);
        return pause;
    }

    private void Break(TimeSpan wait) =>
        Volatile.Write(
            ref _brokenUntil,
            _timeProvider.GetTimestamp() + (long)(wait.TotalSeconds * _timeProvider.TimestampFrequency)
        );
}
