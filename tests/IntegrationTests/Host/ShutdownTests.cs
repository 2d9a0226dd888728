using RabbitMQ.Client;

namespace Sagas.IntegrationTests.Host;

/// <summary>The program as a process: how it ends.</summary>
public sealed class ShutdownTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const int Load = 300;
    private const string Customers = "SELECT count(*) FROM customer_state";

    [Fact]
    public async Task SIGTERM_under_load_finishes_and_sends_what_is_in_flight_and_leaves_the_rest_in_the_queue()
    {
        const int made = Load / 3;
        // Groups of messages that share a transaction.
        const int inFlight = 2;
        await using var system = await TestSystem.CreateAsync(
            servers,
            ("Roles", "sagas"),
            ("Crm:Enabled", "true"),
            ("RabbitMq:PrefetchCount", "32"),
            ("Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime", "Information")
        );
        var postgres = system.Settings["ConnectionStrings:Postgres"]!;
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        // The groups of those after this many wait at the gate.
        await system.ExecuteAsync("CREATE SEQUENCE made");
        await AdvisoryLockGate.BuildAsync(postgres, "customer_state", condition: $"nextval('made') > {made}", forEachRow: true);
        using (var process = HostProcess.Start(system.Settings))
        {
            await using (var gate = await AdvisoryLockGate.CloseAsync(postgres))
            {
                await process.SaysAsync("Application started");
                await PublishCustomersAsync(system);
                await gate.ReachedAsync(inFlight);
                process.Terminate();
                await process.SaysAsync("Application is shutting down");
            }
            Assert.Equal(0, (await process.EndsAsync()).ExitCode);
        }
        var customers = await system.QueryAsync<long>(Customers);
        Assert.InRange(customers, made + inFlight, Load);
        // No other process runs that could have published the rest.
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM outbox_message"));
        Assert.Equal(customers, await system.TakeAllAsync("sync-customer", (int)customers));

        // A message with a row has left the queue, unless the channel was closed before the broker read the acknowledgement: the
        // broker delivers it again, and the inbox skips it.
        await system.StartAsync();
        await system.WaitForAsync(Customers, (long)Load);
        await system.WaitForCountAsync("customer-saga", 0);
        Assert.Equal(Load, await system.QueryAsync<long>("SELECT count(*) FROM inbox_state"));
        Assert.Equal(Load, await system.QueryAsync<long>("SELECT count(*) FROM saga_transition WHERE from_state IS NULL"));
        Assert.True(letters.IsEmpty);
    }

    // Unit tests cover each invalid value; here, each kind is reported once by a real process.
    [Theory]
    [InlineData("Roles", "sagas,none")]
    [InlineData("Payments:Calls:CallTimeout", "a while")]
    public async Task An_invalid_configuration_ends_the_process_with_a_message_and_no_stack_trace(string key, string value)
    {
        using var process = HostProcess.Start(new Dictionary<string, string?> { [key] = value });
        var (exitCode, error) = await process.EndsAsync();
        Assert.Equal(2, exitCode);
        Assert.Contains(key, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private static async Task PublishCustomersAsync(TestSystem system)
    {
        await using var channel = await system.OpenChannelAsync();
        await Task.WhenAll(
            Enumerable
                .Range(0, Load)
                .Select(number =>
                    channel
                        .BasicPublishAsync(
                            "CustomerRegistered",
                            "",
                            mandatory: true,
                            new BasicProperties { Persistent = true, MessageId = $"{Guid.NewGuid()}" },
                            System.Text.Encoding.UTF8.GetBytes($$"""{"customerId":"c-{{number}}"}""")
                        )
                        .AsTask()
                )
        );
    }
}
