using System.Net;

namespace Sagas.UnitTests.Simulators;

public sealed class PaymentGatewayTests(SharedSimulators simulators) : IClassFixture<SharedSimulators>
{
    [Fact]
    public async Task A_payment_is_captured()
    {
        var gateway = await simulators.CleanAsync();

        var reply = await gateway.PayAsync("key-1");

        Assert.Equal(201, reply.Status);
        Assert.Equal("captured", reply.Text("status"));
        Assert.StartsWith("gw-", reply.Text("reference"), StringComparison.Ordinal);
        Assert.False(reply.IsReplay);
    }

    [Fact]
    public async Task The_same_payment_again_gets_the_same_reference_and_no_second_effect()
    {
        var gateway = await simulators.CleanAsync();
        var first = await gateway.PayAsync("key-1");

        var again = await gateway.SendAsync(
            RunningGateway.Post(
                "key-1",
                "{\"currency\":\"EUR\",\r\n\"amount\": 12.340, \"customerId\":\"c-1\",\"paymentId\":\"p-1\"}"
            )
        );

        Assert.Equal(200, again.Status);
        Assert.True(again.IsReplay);
        Assert.Equal(first.Text("reference"), again.Text("reference"));
        Assert.Equal(1, (await gateway.SummaryAsync()).Effects);
    }

    [Theory]
    [InlineData("p-2", "12.34")]
    [InlineData("p-1", "12.35")]
    public async Task A_key_cannot_be_used_for_another_payment(string payment, string amount)
    {
        var gateway = await simulators.CleanAsync();
        await gateway.PayAsync("key-1");

        var other = await gateway.PayAsync("key-1", payment, amount);

        Assert.Equal(422, other.Status);
        Assert.Equal("application/problem+json", other.MediaType);
        Assert.Equal(1, (await gateway.SummaryAsync()).Effects);
    }

    [Fact]
    public async Task Requests_with_one_key_at_the_same_time_have_one_effect()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.SetFaultsAsync(new { latency = new { minMs = 0, maxMs = 20 } });

        var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => gateway.PayAsync("key-1")));

        Assert.Single(replies, reply => reply.Status == 201);
        Assert.Single(replies.Select(reply => reply.Text("reference")).Distinct());
        var summary = await gateway.SummaryAsync();
        Assert.Equal((100, 1, 99, 0), (summary.Requests, summary.Effects, summary.Replays, summary.DuplicateEffects));
    }

    [Fact]
    public async Task An_amount_that_ends_in_13_cents_is_declined_and_stays_declined()
    {
        var gateway = await simulators.CleanAsync();

        var first = await gateway.PayAsync("key-1", amount: "7.13");
        var again = await gateway.PayAsync("key-1", amount: "7.13");

        Assert.Equal((402, 402), (first.Status, again.Status));
        Assert.Equal(("declined", "insufficient funds"), (first.Text("status"), first.Text("reason")));
        Assert.True(again.IsReplay);
        var summary = await gateway.SummaryAsync();
        Assert.Equal((1, 0, 1), (summary.Declines, summary.Effects, summary.Replays));
    }

    [Fact]
    public async Task A_share_of_payments_can_be_declined()
    {
        await using var gateway = await RunningGateway.StartAsync(("Gateway:DeclineRate", "1"));

        Assert.Equal(402, (await gateway.PayAsync("key-1")).Status);
    }

    [Theory]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR""")]
    [InlineData("""{"customerId":"c","amount":1,"currency":"EUR"}""")]
    [InlineData("""{"paymentId":"","customerId":"c","amount":1,"currency":"EUR"}""")]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":"1","currency":"EUR"}""")]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":-1,"currency":"EUR"}""")]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":1,"currency":"euro"}""")]
    [InlineData("""{"paymentId":"\ud800","customerId":"c","amount":1,"currency":"EUR"}""")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task An_invalid_payment_is_rejected_and_recorded(string body)
    {
        var gateway = await simulators.CleanAsync();

        var reply = await gateway.SendAsync(RunningGateway.Post("key-1", body));

        Assert.Equal((400, "application/problem+json"), (reply.Status, reply.MediaType));
        var record = Assert.Single(await gateway.RecordsAsync());
        Assert.Equal(body, record.GetProperty("body").GetString());
        Assert.Equal("invalid", record.GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task A_request_without_key_of_another_type_or_too_long_is_rejected()
    {
        var gateway = await simulators.CleanAsync();

        Assert.Equal(400, (await gateway.SendAsync(RunningGateway.Payment(null))).Status);
        Assert.Equal(400, (await gateway.SendAsync(RunningGateway.Payment(new string('k', 256)))).Status);
        Assert.Equal(415, (await gateway.SendAsync(RunningGateway.Post("key-1", "a=b", "text/plain"))).Status);
        Assert.Equal(413, (await gateway.SendAsync(RunningGateway.Post("key-1", new string(' ', 17_000)))).Status);
        Assert.Equal(new(4, 0, 0, 0, 4, 0, 0, 0), await gateway.SummaryAsync());
    }

    [Fact]
    public async Task An_unknown_route_is_a_problem_document()
    {
        var gateway = await simulators.CleanAsync();

        using var response = await gateway.Client.GetAsync("/nowhere");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_record_has_every_request_in_order_with_its_answer()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.PayAsync("key-1");
        await gateway.PayAsync("key-1");
        await gateway.PayAsync("key-2", "p-2", "7.13");
        await gateway.PayAsync("key-2", "p-3");

        var records = await gateway.RecordsAsync();

        Assert.Equal(
            [
                "1 key-1 p-1 201 captured True",
                "2 key-1 p-1 200 replayed False",
                "3 key-2 p-2 402 declined False",
                "4 key-2 p-3 422 keyReused False",
            ],
            records.Select(record =>
                string.Join(
                    ' ',
                    record.GetProperty("sequence"),
                    record.GetProperty("key"),
                    record.GetProperty("body").GetProperty("paymentId"),
                    record.GetProperty("status"),
                    record.GetProperty("outcome"),
                    record.GetProperty("effect")
                )
            )
        );
        Assert.All(
            records,
            record =>
                Assert.InRange(
                    record.GetProperty("at").GetDateTimeOffset(),
                    DateTimeOffset.UtcNow.AddMinutes(-5),
                    DateTimeOffset.UtcNow
                )
        );
    }

    [Fact]
    public async Task A_long_record_is_complete()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await Parallel.ForAsync(0, 2_000, async (number, _) => await gateway.PayAsync($"key-{number}", $"p-{number}"));

        var records = await gateway.RecordsAsync();

        Assert.Equal(Enumerable.Range(1, 2_000), records.Select(record => record.GetProperty("sequence").GetInt32()));
        Assert.Equal(2_000, records.Select(record => record.GetProperty("key").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task A_payment_captured_under_two_keys_is_counted()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.PayAsync("key-1");
        await gateway.PayAsync("key-2");

        var summary = await gateway.SummaryAsync();

        Assert.Equal((2, 0, 1), (summary.Effects, summary.DuplicateEffects, summary.DuplicatePayments));
    }

    [Fact]
    public async Task Deleting_forgets_everything()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.PayAsync("key-1");

        using var response = await gateway.Client.DeleteAsync("/payments");

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await gateway.RecordsAsync());
        Assert.Equal(new(0, 0, 0, 0, 0, 0, 0, 0), await gateway.SummaryAsync());
        Assert.Equal(201, (await gateway.PayAsync("key-1")).Status);
    }
}
