using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

public sealed class OutboundCallOptionsTests
{
    public static TheoryData<OutboundCallOptions> Wrong =>
        [
            new OutboundCallOptions { CallTimeout = TimeSpan.Zero },
            new OutboundCallOptions { PollInterval = TimeSpan.FromSeconds(-1) },
            new OutboundCallOptions { MinConcurrency = 0 },
            new OutboundCallOptions { InitialConcurrency = 65 },
            new OutboundCallOptions { BreakerFailureRatio = 1.5 },
            new OutboundCallOptions { RetryableStatuses = "401,forbidden" },
            new OutboundCallOptions { RetryableStatuses = "503" },
            new OutboundCallOptions { BreakerDelay = TimeSpan.FromMilliseconds(1) },
        ];

    public static TheoryData<CallRetryOptions> WrongRetry =>
        [
            new CallRetryOptions { Delay = TimeSpan.FromMinutes(5) },
            new CallRetryOptions { Delay = TimeSpan.Zero },
            new CallRetryOptions { MaxAge = TimeSpan.Zero },
            new CallRetryOptions { MaxAttempts = 0 },
        ];

    [Fact]
    public void The_defaults_are_valid() =>
        Assert.Empty(new OutboundCallOptions().Validate().Concat(new CallRetryOptions().Validate()));

    [Theory]
    [MemberData(nameof(Wrong))]
    public void An_invalid_option_is_one_problem(OutboundCallOptions options) => Assert.Single(options.Validate());

    [Theory]
    [MemberData(nameof(WrongRetry))]
    public void An_invalid_retry_option_is_one_problem(CallRetryOptions options) => Assert.Single(options.Validate());
}
