using Microsoft.EntityFrameworkCore;
using Sagas.Database;
using Sagas.OutboundCalls;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>A process is killed at each step of a call, and another one takes over.</summary>
public sealed class KillTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    public enum Step
    {
        BeforeClaimCommits,
        BeforeCall,
        AfterEffect,
        AfterAnswer,
        BeforeOutcomeCommits,
    }

    public static TheoryData<CallMode, Step> ModesAndSteps
    {
        get
        {
            var all = new TheoryData<CallMode, Step>();
            foreach (var mode in Enum.GetValues<CallMode>())
            {
                foreach (var step in Enum.GetValues<Step>())
                    all.Add(mode, step);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(ModesAndSteps))]
    public async Task Another_process_ends_with_one_effect_and_one_message(CallMode mode, Step step)
    {
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: mode == CallMode.IdempotencyKey);
        await using var table = await CallTable.CreateAsync(servers);
        var killed = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        CallProcess? victim = null;
        var kill = new Action<Step>(at =>
        {
            // Only the first time: a retry of the call may reach the step again.
            if (at != step || killed.Task.IsCompleted)
                return;
            killed.TrySetResult(victim!.KillAsync());
        });
        gateway.HadEffect = _ => kill(Step.AfterEffect);
        var settings = new TargetSettings(gateway.Url, mode)
        {
            Building = () => kill(Step.BeforeCall),
            Answered = () => kill(Step.AfterAnswer),
            Committing = async cancellationToken =>
            {
                kill(Step.BeforeOutcomeCommits);
                await Task.Delay(Timeout.Infinite, cancellationToken);
            },
        };
        await using var first = victim = CallProcess.Create(table.ConnectionString, settings);
        await victim.EnterAsync("payment");
        if (step == Step.BeforeClaimCommits)
            await ClaimAndRollBackAsync(table.ConnectionString);
        else
        {
            await victim.StartAsync();
            await killed.Task.Unwrap().WaitAsync(Eventually.Timeout);
            await table.EndLeasesAsync();
        }

        gateway.HadEffect = null;
        await using var second = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, mode));
        var row = Assert.Single(await table.UntilFinishedAsync());

        var isUnknown = mode == CallMode.AtMostOnce && step != Step.BeforeClaimCommits;
        Assert.Equal(isUnknown ? "parked" : "done", row.State);
        Assert.Equal(isUnknown && step == Step.BeforeCall ? 0 : 1, gateway.Effects.GetValueOrDefault("payment"));
        Assert.Equal(isUnknown ? 0 : 1, (await table.MessagesAsync("PaymentProcessed")).Count);
        if (isUnknown)
            Assert.Contains("abandoned", row.Outcome);
    }

    [Fact]
    public async Task An_orderly_stop_finishes_the_calls_in_flight()
    {
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Latency = TimeSpan.FromMilliseconds(50);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var table = await CallTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, CallMode.AtMostOnce) { Building = () => reached.TrySetResult() };
        await using var process = await CallProcess.StartAsync(table.ConnectionString, settings);
        await process.EnterAsync(Enumerable.Range(0, 40).Select(number => $"pay{number}"));
        await reached.Task.WaitAsync(Eventually.Timeout);

        await process.StopAsync();

        // Calls that were made are recorded, the others are free for another process, and no outcome is unknown.
        var rows = await table.RowsAsync();
        Assert.All(rows, row => Assert.Contains(row.State, new[] { "done", "waiting" }));
        Assert.All(rows, row => Assert.False(row.OutcomeUnknown));
        Assert.Equal(gateway.Effects.Keys.Order(), rows.Where(row => row.State == "done").Select(row => row.Key).Order());
        Assert.All(rows.Where(row => row.State == "waiting"), row => Assert.Equal(0, row.Attempts));
        Assert.NotEmpty(gateway.Effects);
    }

    [Fact]
    public async Task A_known_outcome_replaces_the_unknown_one_of_another_process()
    {
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: false);
        await using var table = await CallTable.CreateAsync(servers);
        using var answered = new ManualResetEventSlim();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        gateway.HadEffect = _ => reached.TrySetResult();
        var settings = new TargetSettings(gateway.Url, CallMode.AtMostOnce) { Answered = () => answered.Wait() };
        await using var slow = await CallProcess.StartAsync(table.ConnectionString, settings);
        await slow.EnterAsync("payment");
        await reached.Task.WaitAsync(Eventually.Timeout);
        await table.EndLeasesAsync();
        await using var second = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, CallMode.AtMostOnce));
        await table.UntilAsync(rows => rows[0].State == "parked");

        answered.Set();

        await table.UntilAsync(rows => rows[0].State == "done");
        Assert.Equal(1, gateway.Effects["payment"]);
        Assert.Single(await table.MessagesAsync("PaymentProcessed"));
    }

    private static async Task ClaimAndRollBackAsync(string connection)
    {
        await using var database = new SagasDbContext(
            new DbContextOptionsBuilder<SagasDbContext>().UseNpgsql(connection).Options
        );
        await using var transaction = await database.Database.BeginTransactionAsync();
        var claimed = await CallStore.ClaimAsync(
            database,
            "payment-gateway",
            10,
            Guid.NewGuid(),
            0,
            TimeSpan.FromSeconds(1),
            CancellationToken.None
        );
        Assert.Single(claimed);
    }
}
