using System.Text.Json;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.CommandLine;

/// <summary>The first steps of a new user, with the published programs.</summary>
[Collection(SharedServers.Name)]
public sealed class FirstLookTests(OneProcess process)
{
    [Fact]
    [Trait("Category", "Smoke")]
    public async Task A_payment_waits_for_its_customer_and_is_completed_once_the_customer_is_registered()
    {
        var system = await process.StartedAsync();
        await system.RunCommandAsync("p", "4711", "--payment-id", "invoice-8", "--amount", "12.34", "--currency", "GBP");
        await StateIsAsync(system, "AwaitingCustomer");
        var payments = await system.RunCommandAsync("payments", "list");
        Assert.Equal("AwaitingCustomer", State(Assert.Single(payments.EnumerateArray(), payment => IsInvoice8(payment))));

        await system.RunCommandAsync("c", "4711", "--name", "Ada Lovelace");
        await StateIsAsync(system, "Completed");
        var shown = await system.RunCommandAsync("payments", "show", "invoice-8");
        Assert.Equal("Completed", State(shown));
        Assert.Equal(12.34m, shown.GetProperty("amount").GetDecimal());
        Assert.StartsWith("gw-", shown.GetProperty("gatewayReference").GetString());
        var states = shown
            .GetProperty("timeline")
            .EnumerateArray()
            .Select(transition => transition.GetProperty("toState").GetString());
        Assert.Equal(["AwaitingCustomer", "Processing", "Completed"], states.Distinct());
        var charges = await system
            .RecordsAsync()
            .CountAsync(record => record.GetProperty("effect").GetBoolean() && IsInvoice8(record.GetProperty("body")));
        Assert.Equal(1, charges);
    }

    private static Task StateIsAsync(RunningSystem system, string state) =>
        Eventually.EqualAsync(
            state,
            () =>
                system.QueryAsync<string>(
                    "SELECT coalesce(max(current_state), '') FROM payment_state WHERE payment_id = 'invoice-8'"
                )
        );

    private static bool IsInvoice8(JsonElement payment) => payment.GetProperty("paymentId").GetString() == "invoice-8";

    private static string? State(JsonElement payment) => payment.GetProperty("state").GetString();
}
