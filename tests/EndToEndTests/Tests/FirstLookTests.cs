using System.Diagnostics;
using System.Text.Json;
using Sagas.EndToEndTests.Processes;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Tests;

/// <summary>What a new user does, with the programs they use.</summary>
[Collection(SharedServers.Name)]
public sealed class FirstLookTests(ServersFixture servers, ITestOutputHelper output)
{
    [Fact]
    public async Task A_payment_waits_for_its_customer_and_is_completed_once_the_customer_is_registered()
    {
        var watch = Stopwatch.StartNew();
        await using var shared = await SharedSystem.StartAsync(servers, processes: 1);
        var system = shared.Running;
        Say("everything runs");

        await system.RunCommandAsync("p", "4711", "--payment-id", "invoice-8", "--amount", "12.34", "--currency", "GBP");
        Say("payment published");
        await Eventually.TrueAsync("the payment is listed as waiting", async () =>
        {
            var payments = await system.RunCommandAsync("list", "payments");
            return payments.GetArrayLength() == 1 && State(payments[0]) == "AwaitingCustomer";
        }, Eventually.Timeout);
        Say("it waits");

        await system.RunCommandAsync("c", "4711", "--name", "Ada Lovelace");
        Say("customer published");
        var payment = default(JsonElement);
        await Eventually.TrueAsync("the payment is completed", async () =>
        {
            payment = await system.RunCommandAsync("show", "payment", "invoice-8");
            return State(payment) == "Completed";
        }, Eventually.Timeout);
        Say("it is completed");

        Assert.Equal(12.34m, payment.GetProperty("amount").GetDecimal());
        Assert.StartsWith("gw-", payment.GetProperty("gatewayReference").GetString());
        var states = payment.GetProperty("timeline").EnumerateArray().Select(transition => transition.GetProperty("toState").GetString());
        Assert.Equal(["AwaitingCustomer", "Processing", "Completed"], states.Distinct());
        Assert.Equal(1, (await system.SummaryAsync()).GetProperty("effects").GetInt32());
        var woken = await system.QueryAsync<double>(
            """
            SELECT extract(epoch FROM p.finished_at - c.created_at)::float8 * 1000
            FROM payment_state p JOIN customer_state c USING (customer_id)
            """);
        Say($"{woken:0} ms from customer to completion, as the services say");

        void Say(string what) => output.WriteLine($"{watch.Elapsed.TotalSeconds,6:0.0} s  {what}");
    }

    private static string? State(JsonElement payment) => payment.GetProperty("state").GetString();
}
