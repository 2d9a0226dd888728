using System.Net;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Operations;

/// <summary>What operators see and do on pages, without JavaScript.</summary>
public sealed class DashboardTests(OperatorSystem shared) : IClassFixture<OperatorSystem>
{
    [Fact]
    public async Task A_waiting_payment_says_what_it_waits_for_and_what_wakes_it()
    {
        var system = await shared.StartedAsync();
        await RequestAsync(system, "pay-waits", "nobody-1");
        var browser = await shared.SignInAsync(OperatorSystem.ViewerKey);
        var page = await browser.GetAsync("/payments/pay-waits");

        Assert.Contains("It waits for customer nobody-1, who is not registered, and is woken by the registration", page);
        Assert.Contains("(attempt 2)", page);
        Assert.Contains("class=\"node current\"", page);
        Assert.Contains("sagas payments show pay-waits", page);
    }

    [Fact]
    public async Task A_payment_is_found_by_a_part_of_its_id_and_by_its_state()
    {
        var system = await shared.StartedAsync();
        await RequestAsync(system, "invoice-4711-b", "nobody-2");
        var browser = await shared.SignInAsync();

        Assert.Contains("/payments/invoice-4711-b", await browser.GetAsync("/payments?search=4711"));
        Assert.Contains("/payments/invoice-4711-b", await browser.GetAsync("/payments?search=invoice-4711-b"));
        Assert.Contains("/payments/invoice-4711-b", await browser.GetAsync("/payments?state=AwaitingCustomer"));
        Assert.Contains("/payments/invoice-4711-b", await browser.GetAsync("/payments?customer=nobody-2"));
        Assert.DoesNotContain("/payments/invoice-4711-b", await browser.GetAsync("/payments?state=Completed"));
    }

    [Fact]
    public async Task Personal_data_is_masked_for_viewers_and_the_audit_says_who_else_saw_it()
    {
        var system = await shared.StartedAsync();
        const string customer = """{"customerId":"c-mask","firstName":"Johanna","email":"johanna@example.org"}""";
        await system.PublishAsync("CustomerRegistered", customer);
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'c-mask'", 1L);
        var viewer = await shared.SignInAsync(OperatorSystem.ViewerKey);
        var operator_ = await shared.SignInAsync();

        Assert.DoesNotContain("ohanna", await viewer.GetAsync("/customers/c-mask"));
        Assert.Equal(0L, await system.QueryAsync<long>(ReadsOf("c-mask")));
        Assert.Contains("johanna@example.org", await operator_.GetAsync("/customers/c-mask"));
        Assert.Equal(1L, await system.QueryAsync<long>(ReadsOf("c-mask")));
        Assert.DoesNotContain("ohanna", await operator_.GetAsync("/customers?search=c-mask"));
    }

    [Fact]
    public async Task A_paused_target_is_not_called_until_it_is_resumed_and_the_audit_says_by_whom()
    {
        var system = await shared.StartedAsync();
        var browser = await shared.SignInAsync();
        await system.PublishAsync("CustomerRegistered", """{"customerId":"c-paused"}""");
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'c-paused'", 1L);
        var page = await browser.GetAsync("/sign-in");
        using var paused = await browser.PostAsync(
            "/actions/pause",
            page,
            ("target", "payment-gateway"),
            ("returnTo", "/targets")
        );
        Assert.Equal(HttpStatusCode.Redirect, paused.StatusCode);
        Assert.Equal("/targets?did=target%2Fpayment-gateway%3A%20paused", paused.Headers.Location!.ToString());

        await RequestAsync(system, "pay-paused", "c-paused");
        await system.WaitForAsync("SELECT count(*) FROM outbound_call WHERE target = 'payment-gateway' AND due < now()", 1L);
        Assert.Contains("anna paused it", await browser.GetAsync("/targets"));
        Assert.Contains("payment-gateway is not called: paused", await browser.GetAsync("/stuck"));
        Assert.Equal(
            0L,
            await system.QueryAsync<long>("SELECT sum(attempts) FROM outbound_call WHERE target = 'payment-gateway'")
        );

        using var resumed = await browser.PostAsync(
            "/actions/resume",
            page,
            ("target", "payment-gateway"),
            ("returnTo", "/targets")
        );
        await system.WaitForAsync("SELECT count(*) FROM outbound_call WHERE target = 'payment-gateway' AND attempts > 0", 1L);
        Assert.Contains("target.resume", await browser.GetAsync("/audit?subject=target/payment-gateway"));
    }

    [Theory]
    [InlineData("/payments/none")]
    [InlineData("/customers/none")]
    [InlineData("/files/00000000-0000-0000-0000-000000000001")]
    [InlineData("/calls/crm/none")]
    public async Task What_does_not_exist_is_a_page_that_says_so(string path)
    {
        var browser = await shared.SignInAsync();
        Assert.Contains("<h1>No ", await browser.GetAsync(path, HttpStatusCode.NotFound));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/stuck")]
    [InlineData("/payments")]
    [InlineData("/customers")]
    [InlineData("/customers?failed=true")]
    [InlineData("/failures?target=crm&state=parked&reason=422&since=2026-01-01T09:00")]
    [InlineData("/files")]
    [InlineData("/targets")]
    [InlineData("/audit")]
    [InlineData("/payments?cursor=nonsense")]
    public async Task Every_page_is_shown(string path)
    {
        var browser = await shared.SignInAsync();
        Assert.Contains("<h1>", await browser.GetAsync(path));
    }

    private static string ReadsOf(string customer) =>
        $"SELECT count(*) FROM operator_action WHERE action = 'customer.read' AND subject = 'customer/{customer}'";

    private static async Task RequestAsync(TestSystem system, string payment, string customer)
    {
        await system.PublishAsync(
            "PaymentRequested",
            $$"""{"paymentId":"{{payment}}","customerId":"{{customer}}","amount":1,"currency":"EUR"}"""
        );
        await system.WaitForAsync($"SELECT count(*) FROM payment_state WHERE payment_id = '{payment}'", 1L);
    }
}
