using Sagas.Services.ObjectStatus;

namespace Sagas.UnitTests.ObjectStatus;

public sealed class ObjectStatusOptionsTests
{
    [Fact]
    public void The_defaults_are_right() => Assert.Empty(new ObjectStatusOptions().Validate());

    [Fact]
    public void An_empty_key_is_none() => Assert.Null(new ObjectStatusOptions { ApiKey = " " }.ApiKey);

    [Fact]
    public void Each_wrong_option_is_named_with_its_environment_variable()
    {
        (string Name, ObjectStatusOptions Options)[] wrong =
        [
            ("StatusApi", new() { StatusApi = "localhost" }),
            ("StatusApi", new() { StatusApi = "ftp://api" }),
            ("StatusApi", new() { StatusApi = "http://user@api" }),
            ("CallbackPort", new() { CallbackPort = 65_536 }),
            ("ApiKey", new() { ApiKey = "short" }),
            ("MaximumBodySize", new() { MaximumBodySize = 10 }),
            ("MaximumIds", new() { MaximumIds = 0 }),
            ("InFlight", new() { InFlight = 0 }),
            ("Attempts", new() { Attempts = 0 }),
            ("Freshness", new() { Freshness = TimeSpan.FromSeconds(-1) }),
            ("RedeliveryCap", new() { RedeliveryCap = TimeSpan.FromSeconds(1) }),
            ("BrokerTimeout", new() { BrokerTimeout = TimeSpan.Zero }),
            ("Hold", new() { Hold = TimeSpan.FromHours(1) }),
            ("Expiry", new() { Expiry = TimeSpan.Zero }),
            ("SweepInterval", new() { SweepInterval = TimeSpan.Zero }),
        ];

        Assert.All(wrong, one => Assert.Contains($"ObjectStatus__{one.Name}", Assert.Single(one.Options.Validate())));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(4000)]
    [InlineData(40_000)]
    public void There_are_always_more_messages_than_places_and_a_channel_can_take_them(int inFlight)
    {
        var options = new ObjectStatusOptions { InFlight = inFlight };

        Assert.InRange(options.Consuming, inFlight + 1, ushort.MaxValue);
        Assert.InRange(options.Prefetch, options.Consuming + 1, ushort.MaxValue);
    }
}
