using System.Diagnostics;
using System.Net;
using RabbitMQ.Client;
using Sagas.IntegrationTests.LocalServers;

namespace Sagas.IntegrationTests.Host;

[Collection(nameof(HostServers))]
public sealed class InterruptionTests(HostServers servers)
{
    private const int Count = 400;
    private const string Customers = "SELECT count(*) FROM customer_state";

    private static async Task PublishCustomersAsync(TestSystem system, int from, int to)
    {
        await using var channel = await system.OpenChannelAsync();
        for (var number = from; number < to; number++)
        {
            var body = System.Text.Encoding.UTF8.GetBytes($$"""{"customerId":"c-{{number}}"}""");
            await channel.BasicPublishAsync("CustomerRegistered", "", mandatory: true, new BasicProperties { Persistent = true }, body);
        }
    }

    [PrivateServersFact]
    public async Task Messages_wait_for_a_database_that_is_away_and_none_is_given_up()
    {
        await using var system = await servers.CreateAsync();
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
        Assert.Equal(HttpStatusCode.OK, (await system.Http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
    }

    [PrivateServersFact]
    public async Task Stopping_while_the_database_is_away_returns_the_messages_to_their_queue()
    {
        await using var system = await servers.CreateAsync();
        await system.StartAsync();
        var letters = await system.ReadDeadLettersAsync("customer-saga");
        await servers.Postgres.KillAsync();
        try
        {
            await PublishCustomersAsync(system, 0, 50);
            var watch = Stopwatch.StartNew();
            await system.StopAsync();
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"Stopping took {watch.Elapsed}.");
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
        await using var system = await servers.CreateAsync();
        await system.StartAsync();
        await PublishCustomersAsync(system, 0, 100);
        await servers.RabbitMq.KillAsync();
        await servers.RabbitMq.StartAgainAsync();
        await system.WaitForAsync(Customers, 100L);
    }

    [Fact]
    public async Task SIGTERM_finishes_what_is_in_flight_and_leaves_the_rest_in_the_queue()
    {
        await using var system = await servers.CreateAsync();
        await system.StartAsync();
        var letters = await system.ReadDeadLettersAsync("customer-saga");
        await system.StopAsync();
        await PublishCustomersAsync(system, 0, Count);
        using (var process = Start(system.Settings))
        {
            while (await system.QueryAsync<long>(Customers) < 10)
                Assert.False(process.HasExited);
            await TerminateAsync(process);
        }
        // Nothing is half done: what has a row has left the queue.
        Assert.Equal(Count, await system.QueryAsync<long>(Customers) + await system.CountAsync("customer-saga"));
        await system.StartAsync();
        await system.WaitForAsync(Customers, (long)Count);
        Assert.True(letters.IsEmpty);
    }

    [Fact]
    public async Task SIGTERM_under_load_sends_what_was_committed_before_the_connection_closes()
    {
        const int Load = 3000;
        await using var system = await servers.CreateAsync(("Roles", "sagas"), ("Crm:Enabled", "true"));
        await system.StartAsync();
        await system.StopAsync();
        await PublishCustomersAsync(system, 0, Load);
        using (var process = Start(system.Settings))
        {
            while (await system.QueryAsync<long>(Customers) < Load / 10)
                Assert.False(process.HasExited);
            await TerminateAsync(process);
        }
        var customers = await system.QueryAsync<long>(Customers);
        Assert.InRange(customers, Load / 10, Load - 1);
        // Nobody else runs who could send what this process has left.
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM outbox_message"));
        Assert.Equal((uint)customers, await system.CountAsync("sync-customer"));
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

    private static async Task TerminateAsync(Process process)
    {
        Process.Start("kill", ["-TERM", $"{process.Id}"]).Dispose();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await process.WaitForExitAsync(patience.Token);
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
