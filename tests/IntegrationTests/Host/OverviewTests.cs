using System.Net;
using System.Text.Json;

namespace Sagas.IntegrationTests.Host;

public sealed class OverviewTests(OverviewTests.Shared shared) : IClassFixture<OverviewTests.Shared>
{
    [Fact]
    public async Task Without_a_key_nothing_can_be_changed_and_the_answer_says_how_to_set_one()
    {
        var system = await shared.StartedAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/operations/payments/p-1/revive");
        request.Headers.Add("X-Api-Key", "anything");
        using var response = await system.Http.SendAsync(request);
        var detail = await Problem.ReadDetailAsync(response, HttpStatusCode.Forbidden);
        Assert.Contains("Operations__ApiKey", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_counts_and_contains_no_names()
    {
        var system = await shared.StartedAsync();
        await system.PublishAsync("CustomerRegistered", """{"customerId":"c-9","firstName":"Jane","email":"jane@example.com"}""");
        await system.PublishAsync(
            "PaymentRequested",
            """{"paymentId":"p-9","customerId":"nobody","amount":1,"currency":"EUR"}"""
        );
        await system.WaitForAsync("SELECT (SELECT count(*) FROM customer_state) + (SELECT count(*) FROM payment_state)", 2L);
        await Eventually.PassesAsync(
            "the overview counts them",
            async () =>
            {
                var text = await system.Http.GetStringAsync(new Uri("/operations/overview", UriKind.Relative));
                var overview = JsonDocument.Parse(text).RootElement;
                Assert.Equal(1, overview.GetProperty("customers").GetProperty("Registered").GetInt32());
                Assert.Equal(1, overview.GetProperty("payments").GetProperty("AwaitingCustomer").GetInt32());
                Assert.Equal(1, overview.GetProperty("outbox").GetProperty("scheduled").GetInt32());
                Assert.Equal(0, overview.GetProperty("outbox").GetProperty("due").GetInt32());
                Assert.All((string[])["Jane", "jane", "c-9", "p-9", "nobody"], name => Assert.DoesNotContain(name, text));
            }
        );
    }

    // The payment is not redelivered while a test reads it.
    public sealed class Shared()
        : SharedSystem(
            new ServersFixture(),
            ("Payments:Redelivery:BaseDelay", "01:00:00"),
            ("Payments:Redelivery:MaxDelay", "01:00:00")
        );
}
