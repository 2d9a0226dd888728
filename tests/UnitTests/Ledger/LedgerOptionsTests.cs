using Sagas.Services.Ledger;

namespace Sagas.UnitTests.Ledger;

public sealed class LedgerOptionsTests
{
    public static TheoryData<LedgerOptions> Wrong =>
    [
        new LedgerOptions { CallTimeout = TimeSpan.Zero },
        new LedgerOptions { PollInterval = TimeSpan.FromSeconds(-1) },
        new LedgerOptions { RetryBase = TimeSpan.FromMinutes(5) },
        new LedgerOptions { MaxAttempts = 0 },
        new LedgerOptions { MinConcurrency = 0 },
        new LedgerOptions { InitialConcurrency = 65 },
        new LedgerOptions { BreakerFailureRatio = 1.5 },
        new LedgerOptions { BreakBase = TimeSpan.FromMilliseconds(1) },
    ];

    [Fact]
    public void The_defaults_hold_together() => Assert.Empty(new LedgerOptions().Validate());

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_cannot_work_is_said_in_one_sentence(LedgerOptions options) => Assert.Single(options.Validate());
}
