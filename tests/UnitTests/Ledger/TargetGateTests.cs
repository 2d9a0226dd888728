using Microsoft.Extensions.Time.Testing;
using Polly.CircuitBreaker;
using Sagas.Services.Ledger;

namespace Sagas.UnitTests.Ledger;

/// <summary>When a target gets no calls.</summary>
public sealed class TargetGateTests
{
    private static readonly CallResult _good = new(LedgerVerdict.Done("done", null, null), CallHealth.Good);
    private static readonly CallResult _failed = new(LedgerVerdict.Unknown("failed"), CallHealth.Failed);

    private readonly FakeTimeProvider _time = new();
    private readonly TargetGate _gate;
    private readonly List<string> _told = [];

    public TargetGateTests() => _gate = new(
        new() { BreakerMinimumCalls = 4, BreakBase = TimeSpan.FromSeconds(2), BreakCap = TimeSpan.FromSeconds(5) },
        _time, wait => _told.Add($"open {wait.TotalSeconds}"), () => _told.Add("closed"));

    [Fact]
    public async Task A_target_that_fails_gets_no_calls_then_one_then_all()
    {
        for (var call = 0; call < 4; call++)
            Assert.NotNull(await MakeAsync(_failed));

        Assert.Equal((CircuitState.Open, 0), (_gate.Breaker, _gate.Limit));
        Assert.Null(await MakeAsync(_good));
        Assert.Equal(TimeSpan.FromSeconds(2), _gate.Blocked);

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, _gate.Limit);
        Assert.NotNull(await MakeAsync(_good));

        Assert.Equal(CircuitState.Closed, _gate.Breaker);
        Assert.True(_gate.Limit > 1);
        Assert.Equal(["open 2", "closed"], _told);
    }

    [Fact]
    public async Task Each_failed_probe_doubles_the_wait_up_to_its_cap()
    {
        for (var call = 0; call < 4; call++)
            await MakeAsync(_failed);
        foreach (var wait in new[] { 2, 4, 5 })
        {
            Assert.Equal(TimeSpan.FromSeconds(wait), _gate.Blocked);
            _time.Advance(TimeSpan.FromSeconds(wait));
            Assert.NotNull(await MakeAsync(_failed));
        }

        Assert.Equal(["open 2", "open 4", "open 5", "open 5"], _told);
    }

    [Fact]
    public async Task Only_one_call_probes_at_a_time()
    {
        for (var call = 0; call < 4; call++)
            await MakeAsync(_failed);
        _time.Advance(TimeSpan.FromSeconds(2));
        var probe = new TaskCompletionSource<CallResult>();
        var probing = _gate.RunAsync(_ => new(probe.Task), () => 1, CancellationToken.None);

        Assert.Equal(1, _gate.Limit);
        Assert.Null(await MakeAsync(_good));
        probe.SetResult(_good);
        Assert.NotNull(await probing);
    }

    [Fact]
    public async Task A_refusal_pauses_the_whole_target_for_as_long_as_it_asks()
    {
        var refused = new CallResult(LedgerVerdict.NothingHappened("429") with { After = TimeSpan.FromSeconds(30) }, CallHealth.Refused);
        var shorter = new CallResult(LedgerVerdict.NothingHappened("429") with { After = TimeSpan.FromSeconds(3) }, CallHealth.Refused);

        await MakeAsync(refused);
        await MakeAsync(shorter);

        Assert.Equal((0, TimeSpan.FromSeconds(30)), (_gate.Limit, _gate.Blocked));
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(0, _gate.Limit);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_gate.Limit > 0);
        Assert.Equal(CircuitState.Closed, _gate.Breaker);
    }

    private ValueTask<CallResult?> MakeAsync(CallResult result) => _gate.RunAsync(_ => new(result), () => 1, CancellationToken.None);
}
