using Sagas.OutboundCalls;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>A third party that fails in every way: each call has its effect once and is reported by one message.</summary>
public sealed class FaultTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private static readonly Wrong[] _everyWay =
    [
        Wrong.Nothing,
        Wrong.TooManyRequests,
        Wrong.UnavailableBefore,
        Wrong.ErrorBefore,
        Wrong.ErrorAfter,
        Wrong.HangsBefore,
        Wrong.HangsAfter,
        Wrong.ResetBefore,
        Wrong.ResetAfter,
        Wrong.GarbageAfter,
        Wrong.HalfAnswerAfter,
        Wrong.Redirects,
    ];

    [Theory]
    [InlineData(CallMode.IdempotencyKey, true)]
    [InlineData(CallMode.Lookup, false)]
    public async Task Any_two_faults_in_a_row_end_in_one_effect_and_one_message(CallMode mode, bool honoursKeys)
    {
        await using var gateway = await FailingGateway.StartAsync(honoursKeys);
        // Each key goes through two faults, every pair of them once.
        gateway.Plan = (key, request) =>
        {
            var number = int.Parse(key.AsSpan(3));
            return request switch
            {
                1 => _everyWay[number % _everyWay.Length],
                2 => _everyWay[number / _everyWay.Length],
                _ => Wrong.Nothing,
            };
        };
        await using var table = await CallTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, mode);
        gateway.Hangs = settings.TimeProvider.End;
        await using var process = await CallProcess.StartAsync(table.ConnectionString, settings);
        var keys = Enumerable.Range(0, _everyWay.Length * _everyWay.Length).Select(number => $"pay{number}").ToArray();

        await process.EnterAsync(keys);
        var rows = await table.UntilFinishedAsync();

        Assert.All(rows, row => Assert.Equal("done", row.State));
        Assert.Equal(keys.Order(), gateway.Effects.Where(effect => effect.Value == 1).Select(effect => effect.Key).Order());
        var messages = await table.MessagesAsync("PaymentProcessed");
        Assert.Equal(keys.Length, messages.Count);
        Assert.All(keys, key => Assert.Single(messages, body => body.Contains($"\"{key}\"", StringComparison.Ordinal)));
    }

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task At_most_once_retries_only_what_was_certainly_not_executed()
    {
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: false);
        gateway.Plan = (key, request) => request == 1 ? Enum.Parse<Wrong>(key) : Wrong.Nothing;
        await using var table = await CallTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, CallMode.AtMostOnce);
        gateway.Hangs = settings.TimeProvider.End;
        await using var process = await CallProcess.StartAsync(table.ConnectionString, settings);

        await process.EnterAsync(_everyWay.Select(wrong => wrong.ToString()));
        var rows = await table.UntilFinishedAsync();

        Wrong[] resolved = [Wrong.Nothing, Wrong.TooManyRequests, Wrong.UnavailableBefore];
        Assert.Equal(
            resolved.Select(wrong => wrong.ToString()).Order(),
            rows.Where(row => row.State == "done").Select(row => row.Key)
        );
        Assert.All(
            rows.Where(row => row.State != "done"),
            row =>
            {
                Assert.Equal("parked", row.State);
                Assert.True(row.OutcomeUnknown);
                Assert.Contains("it may have been executed", row.Outcome);
                Assert.Equal(1, gateway.Requests[row.Key]);
            }
        );
        Assert.All(gateway.Effects, effect => Assert.Equal(1, effect.Value));
        Assert.Equal(resolved.Length, (await table.MessagesAsync("PaymentProcessed")).Count);
    }

    [Fact]
    public async Task A_decline_is_final_and_has_its_reason()
    {
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Plan = (_, _) => Wrong.Declines;
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, CallMode.IdempotencyKey));

        await process.EnterAsync("poor");
        var row = Assert.Single(await table.UntilFinishedAsync());

        Assert.Equal(("failed", 1), (row.State, row.Attempts));
        var message = Assert.Single(await table.MessagesAsync("PaymentDeclined"));
        Assert.Contains("insufficient funds", message);
        Assert.Empty(await table.MessagesAsync("PaymentProcessed"));
    }

    [Fact]
    public async Task A_rejection_after_a_lost_answer_is_parked_and_an_operator_can_retry_it()
    {
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Plan = (_, request) =>
            request switch
            {
                1 => Wrong.ResetAfter,
                2 => Wrong.Rejects,
                _ => Wrong.Nothing,
            };
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, CallMode.IdempotencyKey));

        await process.EnterAsync("doubtful");
        var parked = Assert.Single(await table.UntilFinishedAsync());
        Assert.Equal(("parked", true), (parked.State, parked.OutcomeUnknown));
        Assert.Empty(await table.MessagesAsync("PaymentDeclined"));

        await process.RetryAsync("doubtful");
        var done = Assert.Single(await table.UntilAsync(rows => rows[0].State == "done"));

        Assert.False(done.OutcomeUnknown);
        Assert.Equal(1, gateway.Effects["doubtful"]);
        Assert.Single(await table.MessagesAsync("PaymentProcessed"));
    }

    [Fact]
    public async Task A_gateway_that_denies_access_for_a_while_declines_nothing()
    {
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Plan = (_, request) => request <= 3 ? Wrong.NoAccess : Wrong.Nothing;
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, CallMode.AtMostOnce));

        // One call: the warning is one for each time that the gateway stops accepting them, and of two one may be done before.
        await process.EnterAsync("rotated");
        var row = Assert.Single(await table.UntilFinishedAsync());

        Assert.Equal(("done", 4), (row.State, row.Attempts));
        Assert.Empty(await table.MessagesAsync("PaymentDeclined"));
        Assert.Equal(1, process.Warnings.Count(line => line.Contains("does not accept our calls", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_call_that_is_retried_by_hand_has_its_whole_time_again()
    {
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Plan = (_, _) => Wrong.UnavailableBefore;
        await using var table = await CallTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, CallMode.IdempotencyKey);
        await using var process = CallProcess.Create(table.ConnectionString, settings);
        await process.EnterAsync("old");
        await table.ExecuteAsync("UPDATE outbound_call SET created_at = created_at - interval '2 days'");
        await process.StartAsync();
        var parked = Assert.Single(await table.UntilFinishedAsync());
        Assert.Equal("503: not executed; parked 1.00:00:00 after it was enqueued or retried", parked.Outcome);

        gateway.Plan = (_, request) => request < 5 ? Wrong.UnavailableBefore : Wrong.Nothing;
        await process.RetryAsync("old");

        var done = Assert.Single(await table.UntilAsync(rows => rows[0].State is "done" or "parked"));
        Assert.Equal(("done", 4), (done.State, done.Attempts));
    }

    [Fact]
    public async Task A_retry_ends_the_pause_that_a_target_asked_for_in_all_processes()
    {
        await using var gateway = await FailingGateway.StartAsync();
        gateway.RetryAfter = "9999999999";
        gateway.Plan = (_, _) => Wrong.TooManyRequests;
        await using var table = await CallTable.CreateAsync(servers);
        await using var one = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, CallMode.IdempotencyKey));
        await using var other = CallProcess.Create(table.ConnectionString, new(gateway.Url, CallMode.IdempotencyKey));
        await one.EnterAsync("first");
        await Eventually.TrueAsync("one is paused", () => one.Status.BlockedFor > TimeSpan.FromMinutes(50));
        await other.EnterAsync("second");
        await other.StartAsync();
        await Eventually.TrueAsync("the other is paused", () => other.Status.BlockedFor > TimeSpan.FromMinutes(50));
        await table.UntilAsync(rows => rows.All(row => row.State == "waiting"));
        gateway.Plan = (_, _) => Wrong.Nothing;

        await one.RetryAsync("first");

        await table.UntilAllDoneAsync();
        await Eventually.TrueAsync(
            "no process is paused",
            () => one.Status.BlockedFor + other.Status.BlockedFor == TimeSpan.Zero
        );
        Assert.Contains(one.Warnings, line => line.Contains("throttles", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_call_enqueued_again_is_made_once()
    {
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: false);
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, CallMode.IdempotencyKey));

        await process.EnterAsync("same");
        await table.UntilFinishedAsync();
        await process.EnterAsync("same", "other");
        await table.UntilAsync(rows => rows.Count == 2 && rows.All(row => row.State == "done"));

        Assert.Equal(1, gateway.Requests["same"]);
        Assert.Equal(2, (await table.MessagesAsync("PaymentProcessed")).Count);
    }

    [Fact]
    public async Task A_call_without_attempts_left_is_parked_with_the_reason()
    {
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Plan = (_, _) => Wrong.UnavailableBefore;
        await using var table = await CallTable.CreateAsync(servers);
        var settings = new TargetSettings(gateway.Url, CallMode.IdempotencyKey);
        settings = settings with { Retry = settings.Retry with { MaxAttempts = 3 } };
        await using var process = await CallProcess.StartAsync(table.ConnectionString, settings);

        await process.EnterAsync("hopeless");
        var row = Assert.Single(await table.UntilFinishedAsync());

        Assert.Equal(("parked", 3), (row.State, row.Attempts));
        Assert.Equal("503: not executed; parked after 3 attempts", row.Outcome);
    }
}
