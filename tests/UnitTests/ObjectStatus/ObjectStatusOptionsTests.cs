using Sagas.Services.ObjectStatus;
using Sagas.UnitTests.Host;

namespace Sagas.UnitTests.ObjectStatus;

public sealed class ObjectStatusOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(Configured.Problems<ObjectStatusOptions>(ObjectStatusOptions.Section));

    [Theory]
    [InlineData("StatusApi", "localhost")]
    [InlineData("StatusApi", "ftp://api")]
    [InlineData("StatusApi", "http://user@api")]
    [InlineData("CallbackPort", "65536")]
    [InlineData("ApiKey", "short")]
    [InlineData("MaxBodyBytes", "10")]
    [InlineData("MaxIds", "0")]
    [InlineData("MaxConcurrency", "0")]
    [InlineData("MaxAttempts", "0")]
    [InlineData("CacheDuration", "-00:00:01")]
    [InlineData("MaxRedeliveryDelay", "00:00:01")]
    [InlineData("BrokerTimeout", "00:00:00")]
    [InlineData("MaxHold", "01:00:00")]
    [InlineData("ExpiryTimeout", "00:00:00")]
    [InlineData("SweepInterval", "00:00:00")]
    public void An_invalid_option_is_named_with_its_environment_variable(string name, string value) =>
        Assert.Contains(
            $"ObjectStatus__{name}",
            Assert.Single(Configured.Problems<ObjectStatusOptions>(ObjectStatusOptions.Section, (name, value)))
        );

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(4000)]
    [InlineData(40_000)]
    public void More_messages_are_consumed_than_calls_made_within_the_limit_of_a_channel(int calls)
    {
        var options = new ObjectStatusOptions { MaxConcurrency = calls };

        Assert.InRange(options.Consuming, calls + 1, ushort.MaxValue);
        Assert.InRange(options.Prefetch, options.Consuming + 1, ushort.MaxValue);
    }
}
