using Sagas.OutboundCalls;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>Calls are shared by processes, made within the limit and written in batches.</summary>
public sealed class DispatchTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_backlog_is_called_and_written_in_batches_within_the_limit()
    {
        const int calls = 400;
        await using var gateway = await FailingGateway.StartAsync();
        gateway.Latency = TimeSpan.FromMilliseconds(10);
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = CallProcess.Create(table.ConnectionString, Usual(gateway));
        await process.EnterAsync(Enumerable.Range(0, calls).Select(number => $"pay{number}"));

        await process.StartAsync();
        await table.UntilAllDoneAsync();

        var transactions = await table.CountAsync("SELECT count(DISTINCT xmin::text) FROM outbound_call");
        Assert.Equal(calls, gateway.Effects.Count);
        Assert.All(gateway.Requests.Values, requests => Assert.Equal(1, requests));
        Assert.InRange(gateway.MostAtOnce, 2, new OutboundCallOptions().MaxConcurrency);
        Assert.InRange(transactions, 1, calls / 2);
    }

    [Fact]
    public async Task A_call_is_made_by_the_process_that_enqueued_it_without_polling()
    {
        await using var gateway = await FailingGateway.StartAsync();
        await using var table = await CallTable.CreateAsync(servers);
        var settings = Usual(gateway);
        // Without polling, a call is made only because it was entered here.
        settings = settings with
        {
            Options = settings.Options with { PollInterval = TargetSettings.Never },
        };
        await using var process = await CallProcess.StartAsync(table.ConnectionString, settings);

        for (var number = 0; number < 5; number++)
        {
            await process.EnterAsync($"pay{number}");
            await table.UntilFinishedAsync();
        }
    }

    [Fact]
    public async Task A_call_is_found_by_a_process_that_did_not_enqueue_it()
    {
        await using var gateway = await FailingGateway.StartAsync();
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = await CallProcess.StartAsync(table.ConnectionString, Usual(gateway));
        await using var other = CallProcess.Create(table.ConnectionString, Usual(gateway));

        for (var number = 0; number < 2; number++)
        {
            await other.EnterAsync($"pay{number}");
            await table.UntilFinishedAsync();
        }
    }

    [Fact]
    public async Task Several_processes_share_the_calls_and_none_is_made_twice()
    {
        const int calls = 300;
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: false);
        gateway.Latency = TimeSpan.FromMilliseconds(5);
        await using var table = await CallTable.CreateAsync(servers);
        var processes = Enumerable
            .Range(0, 3)
            .Select(_ => CallProcess.Create(table.ConnectionString, Usual(gateway, CallMode.AtMostOnce)))
            .ToArray();
        try
        {
            await processes[0].EnterAsync(Enumerable.Range(0, calls).Select(number => $"pay{number}"));
            await Task.WhenAll(processes.Select(process => process.StartAsync()));
            await table.UntilAllDoneAsync();
        }
        finally
        {
            foreach (var process in processes)
                await process.DisposeAsync();
        }

        Assert.Equal(calls, gateway.Effects.Values.Sum());
        Assert.Equal(calls, (await table.MessagesAsync("PaymentProcessed")).Count);
    }

    [Fact]
    public async Task Outcomes_are_kept_while_the_database_rejects_them()
    {
        await using var gateway = await FailingGateway.StartAsync(honoursKeys: false);
        await using var table = await CallTable.CreateAsync(servers);
        await using var process = await CallProcess.StartAsync(table.ConnectionString, new(gateway.Url, CallMode.AtMostOnce));

        await table.ExecuteAsync("ALTER TABLE outbox_message RENAME TO outbox_message_away");
        await process.EnterAsync(Enumerable.Range(0, 8).Select(number => $"pay{number}"));
        await Eventually.EqualAsync(8, () => process.Status.Unwritten);
        await table.ExecuteAsync(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        );
        await table.ExecuteAsync("ALTER TABLE outbox_message_away RENAME TO outbox_message");
        await table.UntilAsync(rows => rows.All(row => row.State == "done"));

        Assert.Equal(8, gateway.Effects.Values.Sum());
        Assert.Equal(8, (await table.MessagesAsync("PaymentProcessed")).Count);
    }

    // The defaults, except for the time that a call may take.
    private static TargetSettings Usual(FailingGateway gateway, CallMode mode = CallMode.IdempotencyKey) =>
        new(gateway.Url, mode)
        {
            Options = new() { CallTimeout = TargetSettings.Never, LeaseMargin = TargetSettings.Never },
        };
}
