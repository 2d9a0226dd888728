using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Sagas.IntegrationTests.Host;
using Sagas.Simulators;

namespace Sagas.IntegrationTests.Payments;

/// <summary>
/// A process is killed while it writes messages that are consumed together, at each of the statements; another one takes over,
/// and each message has its effect once.
/// </summary>
public sealed class GroupKillTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const int Payments = 40;

    // The tables that a group writes, in order. The session outlives its process, so the group may still commit after the kill.
    [Theory]
    [InlineData("inbox_state")]
    [InlineData("outbox_message")]
    [InlineData("saga_transition")]
    [InlineData("customer_state")]
    [InlineData("payment_state")]
    [InlineData("outbound_call")]
    public async Task Every_message_has_its_effect_once_wherever_the_process_is_killed(string table)
    {
        await using var gateway = await StartGatewayAsync();
        await using var system = await StoppedAsync(gateway.Urls.First());
        var postgres = system.Settings["ConnectionStrings:Postgres"]!;
        await AdvisoryLockGate.BuildAsync(postgres, table);
        await PublishAsync(system);
        await using (var gate = await AdvisoryLockGate.CloseAsync(postgres))
        {
            using var process = HostProcess.Start(system.Settings);
            await gate.ReachedAsync();
        }

        await system.StartAsync();
        await system.WaitForAsync("SELECT count(*) FROM payment_state WHERE current_state = 'Completed'", (long)Payments);
        await system.WaitForAsync("SELECT count(*) FROM outbox_message", 0L);

        Assert.Equal(
            $"{Payments} {Payments} {Payments} {Payments}",
            await system.QueryAsync<string>(
                """
                SELECT concat_ws(' ', (SELECT count(*) FROM customer_state WHERE version = 1),
                    (SELECT count(*) FROM saga_transition WHERE saga = 'customer_state' AND from_state IS NULL),
                    (SELECT count(*) FROM saga_transition WHERE to_state = 'Completed'),
                    (SELECT count(*) FROM outbound_call WHERE target = 'payment-gateway'))
                """
            )
        );
        using var http = new HttpClient { BaseAddress = new Uri(gateway.Urls.First()) };
        var books = await http.GetFromJsonAsync<JsonElement>(new Uri("/payments/summary", UriKind.Relative));
        Assert.Equal((Payments, 0), (books.GetProperty("effects").GetInt32(), books.GetProperty("duplicateEffects").GetInt32()));
    }

    private static async Task<WebApplication> StartGatewayAsync()
    {
        var gateway = SimulatorHost.Create(
            [],
            new Dictionary<string, string?>
            {
                ["urls"] = "http://127.0.0.1:0",
                ["Serilog:MinimumLevel:Default"] = "Error",
                ["Logging:LogLevel:Default"] = "Error",
            }
        );
        await gateway.StartAsync();
        return gateway;
    }

    // Started once: tables and queues exist.
    private async Task<TestSystem> StoppedAsync(string gateway)
    {
        var system = await TestSystem.CreateAsync(
            servers,
            ("Roles", "sagas,payments"),
            ("Payments:GatewayUrl", gateway),
            // What the killed process had in flight is due again soon.
            ("Payments:Calls:CallTimeout", "00:00:10"),
            ("Payments:Calls:LeaseMargin", "00:00:02")
        );
        await system.StartAsync();
        await system.StopAsync();
        return system;
    }

    private static async Task PublishAsync(TestSystem system)
    {
        for (var number = 0; number < Payments; number++)
        {
            var payment = $$"""{"paymentId":"p{{number}}","customerId":"c{{number}}","amount":12.34,"currency":"EUR"}""";
            var customer = $$"""{"customerId":"c{{number}}"}""";
            var isFirst = number % 2 == 0;
            await system.PublishAsync(isFirst ? "PaymentRequested" : "CustomerRegistered", isFirst ? payment : customer);
            await system.PublishAsync(isFirst ? "CustomerRegistered" : "PaymentRequested", isFirst ? customer : payment);
        }
    }
}
