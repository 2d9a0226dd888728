using System.Text.Json;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>The command line with calls that the services parked.</summary>
public sealed class GivenUpCallsTests(RunningServices services) : IClassFixture<RunningServices>
{
    private readonly CommandLineRunner _sagas = services.Sagas;

    [Fact]
    public async Task Only_parked_calls_are_retried()
    {
        await _sagas.JsonAsync("c", "payer");
        await SyncedAsync("payer");
        await services.SetAsync("payments/faults", new { failBefore = 1 });
        await _sagas.JsonAsync("p", "payer", "--payment-id", "parked");
        await CallAsync("parked", call => Text(call, "paymentId") == "parked");
        await services.SetAsync("payments/faults", new { });
        services.HoldPayments();
        await _sagas.JsonAsync("p", "payer", "--payment-id", "flying");
        await CallAsync("in_flight", call => Text(call, "paymentId") == "flying");
        await services.SetAsync("webhooks/behaviour", new { perSecond = 0, answer = 422 });
        await _sagas.JsonAsync("alerts", "send", "125", "x", "--id", "failed");
        await CallAsync("failed", call => Text(call, "key") == "failed");
        await services.SetAsync("webhooks/behaviour", new { perSecond = 0 });
        var calls = await _sagas.JsonAsync("calls", "list");
        Assert.Equal(["parked", "in_flight", "failed"], calls.EnumerateArray().Select(call => Text(call, "state")));

        Assert.Equal(1, (await _sagas.RunAsync("calls", "retry", "failed")).ExitCode);
        Assert.Equal(1, (await _sagas.RunAsync("calls", "retry", "flying")).ExitCode);
        Assert.Equal(4, (await _sagas.RunAsync("calls", "retry", "unknown")).ExitCode);
        var released = (await _sagas.JsonAsync("calls", "retry", "--all")).GetProperty("released");
        Assert.Equal($"{SagaIdentity.Payment("parked"):D}", Text(Assert.Single(released.EnumerateArray()), "key"));
        services.OpenPayments();

        foreach (var payment in (string[])["parked", "flying"])
            await _sagas.JsonWhenAsync(shown => Text(shown, "state") == "Completed", "payments", "show", payment);
        await CallAsync("failed", call => Text(call, "key") == "failed");
    }

    [Fact]
    public async Task A_parked_call_to_the_CRM_is_retried_with_its_customer_only()
    {
        await services.SetAsync("crm/faults", new { failBefore = 1 });
        await _sagas.JsonAsync("c", "ada");
        await _sagas.JsonWhenAsync(
            list => list.EnumerateArray().Any(customer => Text(customer, "customerId") == "ada"),
            "customers",
            "list",
            "--state",
            "SyncFailed"
        );
        await services.SetAsync("crm/faults", new { });

        var key = $"{SagaIdentity.Customer("ada"):D}/1";
        var rejected = await _sagas.RunAsync("calls", "retry", key);
        Assert.Equal(1, rejected.ExitCode);
        Assert.Contains("sagas customers retry --id", rejected.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await _sagas.JsonAsync("calls", "retry", "--all")).GetProperty("released").GetArrayLength());
        await CallAsync("parked", call => Text(call, "key") == key && Text(call, "customerId") == "ada");

        var status = (await _sagas.JsonAsync("customers", "list", "--summary"))[0];
        Assert.Equal(("SyncFailed", 1), (Text(status, "state"), status.GetProperty("customers").GetInt32()));
        Assert.NotEmpty(Text(status, "reason")!);
        Assert.Equal(4, (await _sagas.RunAsync("customers", "retry", "--id", "nobody")).ExitCode);
        await using (var empty = await services.CreateVirtualHostAsync())
        {
            var unbound = await services.InFrontOf(empty.Uri).RunAsync("customers", "retry", "--all");
            Assert.Contains("Start the services first", unbound.Error, StringComparison.Ordinal);
        }
        Assert.Equal(0, (await _sagas.JsonAsync("customers", "retry", "--registered")).GetProperty("retried").GetArrayLength());

        var retried = (await _sagas.JsonAsync("customers", "retry", "--all")).GetProperty("retried");
        Assert.Equal("ada", Assert.Single(retried.EnumerateArray()).GetString());
        await SyncedAsync("ada");
    }

    [Fact]
    public async Task Retrying_an_unknown_alert_retries_nothing_and_enables_no_endpoint()
    {
        const string disabled = "SELECT disabled_at IS NOT NULL FROM rate_limit WHERE target = 'alert-webhook'";
        await services.SetAsync("webhooks/behaviour", new { perSecond = 0, answer = 410 });
        await _sagas.JsonAsync("alerts", "send", "125", "x", "--id", "order-7");
        await CallAsync("parked", call => Text(call, "key") == "order-7");
        await services.SetAsync("webhooks/behaviour", new { perSecond = 0 });

        foreach (var (option, value) in new[] { ("--id", "order-8"), ("--file", "order-7"), ("--file", $"{Guid.NewGuid()}") })
        {
            var run = await _sagas.RunAsync("alerts", "retry", option, value);
            Assert.Equal(4, run.ExitCode);
            Assert.Contains(value, run.Error, StringComparison.Ordinal);
        }

        Assert.True(await QueryAsync<bool>(services.Postgres, disabled));
        var retried = await _sagas.JsonAsync("alerts", "retry", "--id", "order-7");
        Assert.Equal((1, true), (retried.GetProperty("alerts").GetInt64(), retried.GetProperty("endpointEnabled").GetBoolean()));
        await _sagas.JsonWhenAsync(calls => calls.EnumerateArray().All(call => Text(call, "key") != "order-7"), "calls", "list");
    }

    private Task<JsonElement> SyncedAsync(string customer) =>
        _sagas.JsonWhenAsync(shown => Text(shown.GetProperty("customer"), "state") == "Synced", "customers", "show", customer);

    private Task<JsonElement> CallAsync(string state, Func<JsonElement, bool> isIt) =>
        _sagas.JsonWhenAsync(calls => calls.EnumerateArray().Any(isIt), "calls", "list", "--state", state);

    private static string? Text(JsonElement json, string property) => json.GetProperty(property).GetString();
}
