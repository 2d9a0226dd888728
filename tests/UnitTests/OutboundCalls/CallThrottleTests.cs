using Microsoft.Extensions.Time.Testing;
using Polly.CircuitBreaker;
using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

/// <summary>When a target gets no calls.</summary>
public sealed class CallThrottleTests
{
    private static readonly CallResult _good = new(CallOutcome.Succeeded("done", null, null), CallHealth.Healthy);
    private static readonly CallResult _failed = new(CallOutcome.Unknown("failed"), CallHealth.Failed);

    private static readonly CallResult _throttled = new(
        CallOutcome.Retryable("429") with
        {
            RetryAfter = TimeSpan.Zero,
        },
        CallHealth.Throttled
    );

    private readonly FakeTimeProvider _timeProvider = new();
    private readonly CallThrottle _throttle;
    private readonly List<string> _changes = [];

    public CallThrottleTests() =>
        _throttle = new(
            new()
            {
                BreakerMinCalls = 4,
                BreakerDelay = TimeSpan.FromSeconds(2),
                MaxBreakerDelay = TimeSpan.FromSeconds(5),
            },
            _timeProvider,
            wait => _changes.Add($"open {wait.TotalSeconds}"),
            () => _changes.Add("closed"),
            paused: (pause, reason) => _changes.Add($"paused {pause.TotalMilliseconds}: {reason}")
        );

    [Fact]
    public async Task A_target_that_fails_gets_no_calls_then_one_then_all()
    {
        for (var call = 0; call < 4; call++)
            Assert.NotNull(await MakeAsync(_failed));

        Assert.Equal((CircuitState.Open, 0), (_throttle.Breaker, _throttle.Limit));
        Assert.Null(await MakeAsync(_good));
        Assert.Equal(TimeSpan.FromSeconds(2), _throttle.Blocked);

        _timeProvider.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, _throttle.Limit);
        Assert.NotNull(await MakeAsync(_good));

        Assert.Equal(CircuitState.Closed, _throttle.Breaker);
        Assert.True(_throttle.Limit > 1);
        Assert.Equal(["open 2", "closed"], _changes);
    }

    [Fact]
    public async Task Each_failed_probe_doubles_the_wait_up_to_its_cap()
    {
        for (var call = 0; call < 4; call++)
            await MakeAsync(_failed);
        foreach (var wait in new[] { 2, 4, 5 })
        {
            Assert.Equal(TimeSpan.FromSeconds(wait), _throttle.Blocked);
            _timeProvider.Advance(TimeSpan.FromSeconds(wait));
            Assert.NotNull(await MakeAsync(_failed));
        }

        Assert.Equal(["open 2", "open 4", "open 5", "open 5"], _changes);
    }

    [Fact]
    public async Task Only_one_call_probes_at_a_time()
    {
        for (var call = 0; call < 4; call++)
            await MakeAsync(_failed);
        _timeProvider.Advance(TimeSpan.FromSeconds(2));
        var probe = new TaskCompletionSource<CallResult>();
        var probing = _throttle.RunAsync(_ => new(probe.Task), () => 1, CancellationToken.None);

        Assert.Equal(1, _throttle.Limit);
        Assert.Null(await MakeAsync(_good));
        probe.SetResult(_good);
        Assert.NotNull(await probing);
    }

    [Fact]
    public async Task A_429_pauses_the_whole_target_for_its_Retry_After()
    {
        var longer = new CallResult(
            CallOutcome.Retryable("429") with
            {
                RetryAfter = TimeSpan.FromSeconds(30),
            },
            CallHealth.Throttled
        );
        var shorter = new CallResult(
            CallOutcome.Retryable("429") with
            {
                RetryAfter = TimeSpan.FromSeconds(3),
            },
            CallHealth.Throttled
        );

        await MakeAsync(longer);
        await MakeAsync(shorter);

        Assert.Equal((0, TimeSpan.FromSeconds(30)), (_throttle.Limit, _throttle.Blocked));
        _timeProvider.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(0, _throttle.Limit);
        _timeProvider.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_throttle.Limit > 0);
        Assert.Equal(CircuitState.Closed, _throttle.Breaker);
    }

    [Fact]
    public async Task A_target_that_throttles_every_call_and_asks_for_no_pause_gets_ever_fewer()
    {
        var pauses = new List<double>();
        for (var call = 0; call < 14; call++)
        {
            await MakeAsync(_throttled);
            // In flight together with the first: it is the same refusal.
            await MakeAsync(_throttled);
            pauses.Add(_throttle.Blocked.TotalMilliseconds);
            _timeProvider.Advance(Longer(_throttle.Blocked, TimeSpan.FromMilliseconds(100)));
        }

        Assert.Equal([0, 100, 200, 400, 800], pauses.Take(5));
        Assert.Equal(60_000, pauses.Max());
        Assert.Equal("paused 400: 429", _changes[0]);

        await MakeAsync(_good);
        await MakeAsync(_throttled);
        Assert.Equal(TimeSpan.Zero, _throttle.Blocked);

        static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
    }

    private ValueTask<CallResult?> MakeAsync(CallResult result) =>
        _throttle.RunAsync(_ => new(result), () => 1, CancellationToken.None);
}
