using System.Diagnostics;
using System.Net;
using Npgsql;
using RabbitMQ.Client;

namespace Sagas.IntegrationTests.Host;

[Collection(nameof(KillableServers))]
public sealed class InterruptionTests(KillableServers servers)
{
    private const int Count = 400;
    private const string Customers = "SELECT count(*) FROM customer_state";

    private static async Task PublishCustomersAsync(TestSystem system, int from, int to)
    {
        await using var channel = await system.OpenChannelAsync();
        await Task.WhenAll(Enumerable.Range(from, to - from).Select(number => channel.BasicPublishAsync(
            "CustomerRegistered", "", mandatory: true, new BasicProperties { Persistent = true, MessageId = $"{Guid.NewGuid()}" },
            System.Text.Encoding.UTF8.GetBytes($$"""{"customerId":"c-{{number}}"}""")).AsTask()));
    }

    [PrivateServersFact]
    public async Task Messages_wait_for_a_database_that_is_away_and_none_is_given_up()
    {
        await using var system = await TestSystem.CreateAsync(servers);
        await system.StartAsync();
        var letters = await system.ReadDeadLettersAsync("customer-saga");
        await PublishCustomersAsync(system, 0, 20);
        await servers.Postgres.KillAsync();
        await PublishCustomersAsync(system, 20, 100);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await system.Http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await system.Http.GetAsync(new Uri("/health/live", UriKind.Relative))).StatusCode);
        await servers.Postgres.StartAgainAsync();
        await system.WaitForAsync(Customers, 100L);
        Assert.True(letters.IsEmpty);
        await WaitUntilReadyAsync(system);
    }

    [PrivateServersFact]
    public async Task Stopping_while_the_database_is_away_returns_the_messages_to_their_queue()
    {
        // Who waited for the database would wait for this.
        await using var system = await TestSystem.CreateAsync(servers, ("ShutdownTimeout", "00:10:00"));
        await system.StartAsync();
        var letters = await system.ReadDeadLettersAsync("customer-saga");
        await servers.Postgres.KillAsync();
        try
        {
            await PublishCustomersAsync(system, 0, 50);
            await system.StopAsync().WaitAsync(Eventually.Timeout);
        }
        finally
        {
            await servers.Postgres.StartAgainAsync();
        }
        await system.StartAsync();
        await system.WaitForAsync(Customers, 50L);
        Assert.True(letters.IsEmpty);
    }

    [PrivateServersFact]
    public async Task A_broker_that_restarts_costs_no_message()
    {
        await using var system = await TestSystem.CreateAsync(servers);
        await system.StartAsync();
        await PublishCustomersAsync(system, 0, 100);
        await servers.RabbitMq.KillAsync();
        await servers.RabbitMq.StartAgainAsync();
        await system.WaitForAsync(Customers, 100L);
    }

    [Fact]
    public async Task SIGTERM_finishes_what_is_in_flight_and_leaves_the_rest_in_the_queue()
    {
        await using var system = await TestSystem.CreateAsync(servers);
        await system.StartAsync();
        var letters = await system.ReadDeadLettersAsync("customer-saga");
        await system.StopAsync();
        await PublishCustomersAsync(system, 0, Count);
        using (var process = Start(system.Settings))
        {
            while (await system.QueryAsync<long>(Customers) < 10)
                Assert.False(process.HasExited);
            Terminate(process);
            await EndsAsync(process);
        }
        // What has a row has left the queue, but for acknowledgements that the broker had not come to when the channel was closed:
        // it delivers those messages again, and the inbox knows them.
        Assert.InRange(await system.QueryAsync<long>(Customers), 10, Count);
        await system.StartAsync();
        await system.WaitForAsync(Customers, (long)Count);
        await system.WaitForCountAsync("customer-saga", 0);
        Assert.Equal(Count, await system.QueryAsync<long>("SELECT count(*) FROM inbox_state"));
        Assert.Equal(Count, await system.QueryAsync<long>("SELECT count(*) FROM saga_transition"));
        Assert.True(letters.IsEmpty);
    }

    [Fact]
    public async Task SIGTERM_under_load_sends_what_was_committed_before_the_connection_closes()
    {
        const int Load = 1000;
        await using var system = await TestSystem.CreateAsync(
            servers,
            ("Roles", "sagas"), ("Crm:Enabled", "true"), ("RabbitMq:Prefetch", "32"), ("Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime", "Information"));
        await system.StartAsync();
        await system.StopAsync();
        // So many are made, and those in hand after them wait at the gate.
        await system.ExecuteAsync(
            $"""
            CREATE SEQUENCE made;
            CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('made') > {Load / 3} THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER gate BEFORE INSERT ON customer_state FOR EACH ROW EXECUTE FUNCTION gate();
            """);
        await PublishCustomersAsync(system, 0, Load);
        using (var process = Start(system.Settings, output: true))
        {
            await using (var gate = new NpgsqlConnection(system.Settings["ConnectionStrings:Postgres"] + ";Pooling=false"))
            {
                await gate.OpenAsync();
                await using var hold = new NpgsqlCommand("SELECT pg_advisory_lock(1)", gate);
                await hold.ExecuteNonQueryAsync();
                await system.WaitForAsync(
                    """
                    SELECT count(*) > 10 FROM pg_locks JOIN pg_database d ON d.oid = database
                    WHERE datname = current_database() AND locktype = 'advisory' AND objid = 1 AND NOT granted
                    """,
                    true);
                Terminate(process);
                await SaysAsync(process, "Application is shutting down");
            }
            await EndsAsync(process);
        }
        var customers = await system.QueryAsync<long>(Customers);
        Assert.InRange(customers, (Load / 3) + 10, Load);
        // Nobody else runs who could send what this process has left.
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM outbox_message"));
        Assert.Equal(customers, await system.TakeAllAsync("sync-customer", (int)customers));
    }

    [Theory]
    [InlineData("Roles", "sagas,none")]
    [InlineData("ConnectionStrings:Postgres", "nonsense")]
    [InlineData("Payments:GatewayUrl", "nonsense")]
    [InlineData("Payments:Calls:CallTimeout", "a while")]
    public async Task A_wrong_configuration_ends_the_process_with_a_sentence(string key, string value)
    {
        using var process = Start(new Dictionary<string, string?> { [key] = value });
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(2, process.ExitCode);
        Assert.Contains(key, error);
        Assert.DoesNotContain("   at ", error);
    }

    private static async Task WaitUntilReadyAsync(TestSystem system)
    {
        using var patience = new CancellationTokenSource(Eventually.Timeout);
        while (true)
        {
            using var response = await system.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), patience.Token);
            if (response.IsSuccessStatusCode)
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(50), patience.Token);
        }
    }

    private static async Task SaysAsync(Process process, string text)
    {
        using var patience = new CancellationTokenSource(Eventually.Timeout);
        for (var line = ""; !line.Contains(text, StringComparison.Ordinal);)
            line = await process.StandardOutput.ReadLineAsync(patience.Token) ?? throw new EndOfStreamException($"It ended without saying '{text}'.");
    }

    private static void Terminate(Process process) => Process.Start("kill", ["-TERM", $"{process.Id}"]).Dispose();

    private static async Task EndsAsync(Process process)
    {
        await process.WaitForExitAsync().WaitAsync(Eventually.Timeout);
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Starts the published program as a process of its own.</summary>
    internal static Process Start(IReadOnlyDictionary<string, string?> settings, bool output = false)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Sagas.Host.dll")])
        {
            RedirectStandardError = !output,
            RedirectStandardOutput = output,
        };
        foreach (var (key, value) in settings)
            start.Environment[key == "urls" ? "ASPNETCORE_URLS" : key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return Process.Start(start)!;
    }
}
