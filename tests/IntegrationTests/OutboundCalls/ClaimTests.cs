using Microsoft.EntityFrameworkCore;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Payments;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>Claims that end without a call.</summary>
public sealed class ClaimTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private static readonly Guid _claim = Guid.NewGuid();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_released_claim_counts_no_attempt_and_leaves_no_unknown_outcome(bool answerLost)
    {
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = CallProcess.Create(table.ConnectionString, new(new("http://localhost"), CallMode.AtMostOnce));
        await process.EnterAsync("one", "two");
        await using var database = new SagasDbContext(
            new DbContextOptionsBuilder<SagasDbContext>().UseNpgsql(table.ConnectionString).Options
        );

        var calls = await ClaimAsync(database, _claim);
        Assert.Equal(["in_flight", "in_flight"], (await table.RowsAsync()).Select(row => row.State));
        Assert.Empty(await ClaimAsync(database, Guid.NewGuid()));
        if (answerLost)
            await CallStore.ReleaseAsync(database, PaymentGateway.TargetName, _claim, CancellationToken.None);
        else
            await CallStore.WriteAsync(
                database,
                PaymentGateway.TargetName,
                [.. calls.Select(CallUpdate.Release)],
                CancellationToken.None
            );

        Assert.All(
            await table.RowsAsync(),
            row => Assert.Equal(("waiting", 0, false), (row.State, row.Attempts, row.OutcomeUnknown))
        );
        // The call is due at once, and the first claim can no longer write its outcome.
        var again = await ClaimAsync(database, Guid.NewGuid());
        Assert.Equal([1, 1], again.Select(call => call.Attempts));
        var late = calls.Select(call => CallUpdate.Park(call, "late", true)).ToArray();
        Assert.Empty(await CallStore.WriteAsync(database, PaymentGateway.TargetName, late, CancellationToken.None));
    }

    [Fact]
    public async Task A_claim_ends_with_its_lease_and_leaves_an_unknown_outcome()
    {
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = CallProcess.Create(table.ConnectionString, new(new("http://localhost"), CallMode.AtMostOnce));
        await process.EnterAsync("one");
        await using var database = new SagasDbContext(
            new DbContextOptionsBuilder<SagasDbContext>().UseNpgsql(table.ConnectionString).Options
        );
        Assert.Single(await ClaimAsync(database, _claim, lease: TimeSpan.FromMilliseconds(50)));

        var again = await Eventually.MatchesAsync(
            "the call can be claimed again",
            () => ClaimAsync(database, Guid.NewGuid()),
            calls => calls.Count > 0
        );

        var call = Assert.Single(again);
        Assert.Equal((2, true), (call.Attempts, call.OutcomeUnknown));
    }

    private static Task<List<OutboundCall>> ClaimAsync(DbContext database, Guid claim, TimeSpan? lease = null) =>
        CallStore.ClaimAsync(
            database,
            PaymentGateway.TargetName,
            10,
            claim,
            0,
            lease ?? TimeSpan.FromHours(1),
            CancellationToken.None
        );
}
