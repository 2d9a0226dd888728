using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Sagas.IntegrationTests.Host;

public sealed class OperationsTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const string Key = "a-key-that-is-long-enough";

    private static readonly Uri _revive = new("/operations/payments/p-1/revive", UriKind.Relative);

    private static async Task<(HttpStatusCode Status, string Detail)> PostAsync(TestSystem system, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _revive);
        if (key is not null)
            request.Headers.Add("X-Api-Key", key);
        using var response = await system.Http.SendAsync(request);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        if (!response.IsSuccessStatusCode)
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, body.TryGetProperty("detail", out var detail) ? detail.GetString()! : "");
    }

    [Fact]
    public async Task An_expired_payment_is_revived_with_the_key_only()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Operations:ApiKey", Key), ("Payments:Redelivery:Increment", "00:00:00.1"),
            ("Payments:Redelivery:Deadline", "00:00:00.2"));
        await system.StartAsync();
        await system.PublishAsync("PaymentRequested", """{"paymentId":"p-1","customerId":"c","amount":1,"currency":"EUR"}""");
        await system.WaitForAsync("SELECT current_state FROM payment_state", "Expired");
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(system, null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(system, Key + "x")).Status);
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM saga_transition WHERE event = 'RevivePayment'"));
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(system, Key)).Status);
        await system.WaitForAsync("SELECT count(*) FROM saga_transition WHERE event = 'RevivePayment'", 1L);
    }

    [Fact]
    public async Task Without_a_key_nothing_can_be_changed_and_the_answer_says_how_to_set_one()
    {
        await using var system = await TestSystem.CreateAsync(servers);
        await system.StartAsync();
        var (status, detail) = await PostAsync(system, "anything");
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("Operations__ApiKey", detail);
    }

    [Fact]
    public async Task The_overview_counts_and_names_nobody()
    {
        // The payment does not look for its customer again while it is looked at.
        await using var system = await TestSystem.CreateAsync(servers, ("Payments:Redelivery:Increment", "01:00:00"), ("Payments:Redelivery:Cap", "01:00:00"));
        await system.StartAsync();
        await system.PublishAsync("CustomerRegistered", """{"customerId":"c-9","firstName":"Jane","email":"jane@example.com"}""");
        await system.PublishAsync("PaymentRequested", """{"paymentId":"p-9","customerId":"nobody","amount":1,"currency":"EUR"}""");
        await system.WaitForAsync("SELECT (SELECT count(*) FROM customer_state) + (SELECT count(*) FROM payment_state)", 2L);
        var text = await system.Http.GetStringAsync(new Uri("/operations/overview", UriKind.Relative));
        var overview = JsonDocument.Parse(text).RootElement;
        Assert.Equal(1, overview.GetProperty("customers").GetProperty("Registered").GetInt32());
        Assert.Equal(1, overview.GetProperty("payments").GetProperty("AwaitingCustomer").GetInt32());
        Assert.Equal(1, overview.GetProperty("outbox").GetProperty("scheduled").GetInt32());
        Assert.Equal(0, overview.GetProperty("outbox").GetProperty("due").GetInt32());
        Assert.All((string[])["Jane", "jane", "c-9", "p-9", "nobody"], name => Assert.DoesNotContain(name, text));
    }
}
