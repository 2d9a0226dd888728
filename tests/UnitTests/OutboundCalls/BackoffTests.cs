using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, 1.0, 100)]
    [InlineData(1, 0.25, 25)]
    [InlineData(2, 1.0, 200)]
    [InlineData(5, 1.0, 1600)]
    [InlineData(7, 1.0, 5000)]
    [InlineData(100, 0.5, 2500)]
    [InlineData(int.MaxValue, 1.0, 5000)]
    [InlineData(3, 0.0, 0)]
    public void The_bound_doubles_up_to_the_maximum_and_the_delay_is_anywhere_below_it(
        int failures,
        double random,
        int milliseconds
    ) =>
        Assert.Equal(
            TimeSpan.FromMilliseconds(milliseconds),
            Backoff.FullJitter(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), failures, random)
        );

    [Theory]
    [InlineData(0.0, 75)]
    [InlineData(0.5, 87.5)]
    [InlineData(1.0, 100)]
    public void A_part_of_the_delay_is_random(double random, double milliseconds) =>
        Assert.Equal(
            TimeSpan.FromMilliseconds(milliseconds),
            Backoff.PartialJitter(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), 1, share: 0.25, random)
        );
}
