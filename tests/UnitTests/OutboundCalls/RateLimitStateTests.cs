using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

/// <summary>What all processes grant together, by a clock that the test sets.</summary>
public sealed class RateLimitStateTests
{
    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private RateLimitState _state = new()
    {
        NextPermitAt = _start,
        EpochAt = _start,
        GrowsAt = _start,
    };
    private DateTimeOffset _now = _start;

    [Theory]
    [InlineData(0.5)]
    [InlineData(40)]
    [InlineData(2000)]
    public void A_configured_rate_is_granted_exactly(double perSecond)
    {
        var granted = 0;
        var seconds = Math.Max(10, 10 / perSecond);
        while (_now < _start.AddSeconds(seconds))
        {
            granted += Grant(wanted: 1000, perSecond).Count;
            _now += TimeSpan.FromMilliseconds(10);
        }

        // Permits are granted up to a quarter of a second ahead.
        Assert.InRange(granted, (perSecond * seconds) - 1, (perSecond * (seconds + 0.5)) + 1);
    }

    [Fact]
    public void Without_a_rate_everything_wanted_is_granted() => Assert.Equal(500, Grant(500, perSecond: null).Count);

    [Fact]
    public void Unused_permits_are_lost()
    {
        Grant(1, perSecond: 100);

        _now += TimeSpan.FromMinutes(1);

        Assert.Equal(20, Grant(1000, perSecond: 100).Count);
        // A twentieth of a second is caught up on, and a quarter granted ahead, no more.
        Assert.Equal(20, Grant(1000, perSecond: 100).Count);
        Assert.Equal(0, Grant(1000, perSecond: 100).Count);
    }

    [Fact]
    public void A_pause_postpones_the_next_permit_and_the_longer_one_holds()
    {
        Pause(seconds: 30);
        Pause(seconds: 3);

        Assert.True(_state.IsBlocked(_start.AddSeconds(29)));
        Assert.False(_state.IsBlocked(_start.AddSeconds(31)));
        _now = _start.AddSeconds(30);
        Assert.Equal(TimeSpan.Zero, Grant(1, perSecond: 10).StartIn);
    }

    [Fact]
    public void A_first_429_sets_the_rate_to_what_was_accepted()
    {
        Grant(200, perSecond: null);
        _now += TimeSpan.FromSeconds(1);

        Pause(seconds: 1);

        Assert.Equal(199, _state.LearnedPerSecond!.Value, 0.001);
    }

    [Fact]
    public void A_429_to_a_call_from_before_the_last_decrease_decreases_nothing()
    {
        Grant(200, perSecond: null);
        Pause(seconds: 1);
        var rate = _state.LearnedPerSecond;

        Pause(seconds: 1, epoch: 0);

        Assert.Equal(rate, _state.LearnedPerSecond);
    }

    [Fact]
    public void A_rate_is_held_then_grows_slowly_first()
    {
        double[] after = [.. new[] { 0, 2, 5, 15 }.Select(seconds => LearnedRate.Grown(100, TimeSpan.FromSeconds(seconds)))];

        Assert.Equal(100, LearnedRate.Grown(100, TimeSpan.FromSeconds(-1)));
        Assert.Equal(100, after[0]);
        Assert.InRange(after[1], 100, 105);
        Assert.InRange(after[2], 120, 130);
        Assert.InRange(after[3], 800, 1000);
        Assert.Equal(TimeSpan.FromSeconds(20), LearnedRate.Hold(1));
        Assert.Equal(TimeSpan.FromSeconds(5), LearnedRate.Hold(100));
    }

    [Theory]
    // What was accepted is less than four fifths of the rate.
    [InlineData(100, 50, 80)]
    // What was accepted is more.
    [InlineData(100, 91, 87.3)]
    // A burst that the target had saved up.
    [InlineData(100, 500, 97)]
    // A single call: the target takes nothing now.
    [InlineData(100, 1, 100)]
    public void A_429_decreases_the_rate_by_a_fifth_at_most(double rate, long granted, double expected) =>
        Assert.Equal(expected, LearnedRate.Decreased(rate, granted, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)), 0.001);

    private PermitGrant Grant(int wanted, double? perSecond)
    {
        var (grant, next) = _state.Grant(_now, wanted, perSecond);
        _state = next ?? _state;
        return grant;
    }

    private void Pause(double seconds, long? epoch = null) =>
        _state = _state.Pause(_now, epoch ?? _state.Epoch, TimeSpan.FromSeconds(seconds), "429", learn: true);
}
