using Sagas.Payments;

namespace Sagas.UnitTests.Payments.StateMachine;

public sealed class RedeliveryOptionsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(29, 29)]
    [InlineData(30, 30)]
    [InlineData(31, 30)]
    [InlineData(1_000_000, 30)]
    [InlineData(int.MaxValue, 30)]
    public void Waits_grow_by_a_second_to_half_a_minute(int attempts, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new RedeliveryOptions().DelayAfter(attempts));

    [Fact]
    public void The_timeout_is_a_day_by_default() => Assert.Equal(TimeSpan.FromDays(1), new RedeliveryOptions().Timeout);

    [Theory]
    [InlineData(1, 250)]
    [InlineData(3, 750)]
    [InlineData(4, 900)]
    public void Increment_and_cap_are_configurable(int attempts, int milliseconds)
    {
        var options = new RedeliveryOptions
        {
            BaseDelay = TimeSpan.FromMilliseconds(250),
            MaxDelay = TimeSpan.FromMilliseconds(900),
        };

        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), options.DelayAfter(attempts));
    }

    [Fact]
    public void A_cap_below_the_increment_is_the_first_wait_already() =>
        Assert.Equal(
            TimeSpan.FromSeconds(1),
            new RedeliveryOptions { BaseDelay = TimeSpan.FromMinutes(1), MaxDelay = TimeSpan.FromSeconds(1) }.DelayAfter(1)
        );

    [Fact]
    public void No_number_of_attempts_overflows()
    {
        var options = new RedeliveryOptions { BaseDelay = TimeSpan.FromDays(10_000_000), MaxDelay = TimeSpan.MaxValue };

        Assert.Equal(TimeSpan.MaxValue, options.DelayAfter(int.MaxValue));
        Assert.Equal(TimeSpan.FromDays(1), (options with { MaxDelay = TimeSpan.FromDays(1) }).DelayAfter(int.MaxValue));
    }
}
