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
        Assert.Contains("Operations__Keys", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_shows_what_waits_and_contains_no_names()
    {
        var system = await shared.StartedAsync();
        await system.PublishAsync("CustomerRegistered", """{"customerId":"c-9","firstName":"Jane","email":"jane@example.com"}""");
        await system.PublishAsync(
            "PaymentRequested",
            """{"paymentId":"p-9","customerId":"nobody","amount":1,"currency":"EUR"}"""
        );
        await system.WaitForAsync("SELECT (SELECT count(*) FROM customer_state) + (SELECT count(*) FROM payment_state)", 2L);
        await Eventually.PassesAsync(
            "the overview shows them",
            async () =>
            {
                var text = await system.Http.GetStringAsync(new Uri("/api/v1/overview", UriKind.Relative));
                var overview = JsonDocument.Parse(text).RootElement;
                var waiting = overview
                    .GetProperty("waiting")
                    .EnumerateArray()
                    .ToDictionary(line => line.GetProperty("name").GetString()!, line => line.GetProperty("count").GetInt32());
                Assert.Equal(1, waiting["payments waiting for their customer"]);
                Assert.Equal(0, waiting["messages to send"]);
                Assert.Contains("payment-saga", text, StringComparison.Ordinal);
                Assert.Single(overview.GetProperty("processes").EnumerateArray());
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
