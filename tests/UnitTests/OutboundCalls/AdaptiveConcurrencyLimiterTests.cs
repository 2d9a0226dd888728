using Microsoft.Extensions.Time.Testing;
using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

/// <summary>The limit follows what the target can take. Each test simulates a target by its answers.</summary>
public sealed class AdaptiveConcurrencyLimiterTests
{
    private static readonly OutboundCallOptions _options = new()
    {
        InitialConcurrency = 8,
        MinConcurrency = 2,
        MaxConcurrency = 64,
    };

    [Fact]
    public void It_grows_to_its_bound_in_a_few_rounds_while_the_target_answers_well()
    {
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());

        var rounds = 0;
        for (; limit.Current < 64 && rounds < 100; rounds++)
            Round(limit, _ => (CallHealth.Healthy, 10));

        Assert.InRange(rounds, 1, 5);
        Round(limit, _ => (CallHealth.Healthy, 10));
        Assert.Equal(64, limit.Current);
    }

    [Fact]
    public void It_does_not_grow_while_it_is_not_used()
    {
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());

        for (var call = 0; call < 1000; call++)
            limit.Record(CallHealth.Healthy, TimeSpan.FromMilliseconds(10), inFlight: 1);

        Assert.Equal(8, limit.Current);
    }

    [Fact]
    public void A_429_shrinks_it_at_once_and_only_once_for_all_calls_in_flight()
    {
        var limit = Grown();

        for (var call = 0; call < 64; call++)
            limit.Record(CallHealth.Throttled, TimeSpan.FromMilliseconds(1), inFlight: 64 - call);

        Assert.InRange(limit.Current, 32, 48);
    }

    [Fact]
    public void It_settles_near_the_limit_of_the_target()
    {
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());
        var seen = new List<int>();

        for (var round = 0; round < 300; round++)
        {
            Round(limit, call => (call < 20 ? CallHealth.Healthy : CallHealth.Throttled, 10));
            if (round >= 100)
                seen.Add(limit.Current);
        }

        Assert.InRange(seen.Average(), 12, 22);
    }

    [Fact]
    public void A_target_that_is_down_is_hardly_called_and_recovers()
    {
        var limit = Grown();

        for (var round = 0; round < 100; round++)
            Round(limit, _ => (CallHealth.Failed, 500));
        Assert.Equal(2, limit.Current);

        for (var round = 0; round < 100; round++)
            Round(limit, _ => (CallHealth.Healthy, 10));
        Assert.Equal(64, limit.Current);
    }

    [Fact]
    public void Rare_random_failures_do_not_cost_throughput()
    {
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());
        var calls = 0;

        for (var round = 0; round < 200; round++)
            Round(limit, _ => (++calls % 20 == 0 ? CallHealth.Failed : CallHealth.Healthy, 10));

        Assert.InRange(limit.Current, 50, 64);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_failures_of_one_call_in_five_do_not_cost_throughput(bool throttled)
    {
        var trouble = throttled ? CallHealth.Throttled : CallHealth.Failed;
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());
        var random = new Random(42);
        var seen = new List<int>();

        for (var round = 0; round < 1000; round++)
        {
            Round(limit, _ => (random.NextDouble() < 0.2 ? trouble : CallHealth.Healthy, 10));
            if (round >= 200)
                seen.Add(limit.Current);
        }

        Assert.InRange(seen.Average(), 40, 64);
    }

    [Fact]
    public void Random_failures_do_not_hide_that_there_are_too_many_calls()
    {
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());
        var random = new Random(42);
        var seen = new List<int>();

        for (var round = 0; round < 3000; round++)
        {
            Round(
                limit,
                call =>
                    (
                        call >= 20 ? CallHealth.Throttled
                        : random.NextDouble() < 0.1 ? CallHealth.Failed
                        : CallHealth.Healthy,
                        10
                    )
            );
            if (round >= 200)
                seen.Add(limit.Current);
        }

        Assert.InRange(seen.Average(), 15, 26);
    }

    [Fact]
    public void A_limit_that_caused_a_pause_is_tried_again_after_many_times_the_pause()
    {
        var timeProvider = new FakeTimeProvider();
        var limit = new AdaptiveConcurrencyLimiter(_options, timeProvider);
        var pauses = 0;
        for (var round = 0; round < 10_000; round++)
        {
            var atOnce = limit.Current;
            var throttled = atOnce > 10;
            for (var call = 0; call < atOnce; call++)
                limit.Record(
                    throttled && call == 0 ? CallHealth.Throttled : CallHealth.Healthy,
                    TimeSpan.FromMilliseconds(10),
                    atOnce,
                    throttled && call == 0 ? TimeSpan.FromSeconds(1) : default
                );
            pauses += throttled ? 1 : 0;
            timeProvider.Advance(TimeSpan.FromMilliseconds(throttled ? 1000 : 10));
        }

        Assert.InRange(limit.Current, 9, 11);
        Assert.InRange(pauses, 1, 12);
    }

    [Fact]
    public void Random_pauses_do_not_keep_the_limit_down()
    {
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());
        var random = new Random(42);

        for (var call = 0; call < 10_000; call++)
        {
            var throttled = random.NextDouble() < 0.02;
            limit.Record(
                throttled ? CallHealth.Throttled : CallHealth.Healthy,
                TimeSpan.FromMilliseconds(10),
                limit.Current,
                throttled ? TimeSpan.FromSeconds(60) : default
            );
        }

        Assert.InRange(limit.Current, 4, 64);
    }

    [Fact]
    public void It_shrinks_when_the_target_slows_down()
    {
        var limit = Grown();

        for (var round = 0; round < 10; round++)
            Round(limit, _ => (CallHealth.Healthy, 200));

        Assert.InRange(limit.Current, 2, 40);
    }

    private static AdaptiveConcurrencyLimiter Grown()
    {
        var limit = new AdaptiveConcurrencyLimiter(_options, new FakeTimeProvider());
        while (limit.Current < 64)
            Round(limit, _ => (CallHealth.Healthy, 10));
        Round(limit, _ => (CallHealth.Healthy, 10));
        return limit;
    }

    private static void Round(AdaptiveConcurrencyLimiter limit, Func<int, (CallHealth Health, int Milliseconds)> response)
    {
        var atOnce = limit.Current;
        for (var call = 0; call < atOnce; call++)
        {
            var (health, milliseconds) = response(call);
            limit.Record(health, TimeSpan.FromMilliseconds(milliseconds), atOnce);
        }
    }
}
