using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sagas.Services.Alerts;

namespace Sagas.HarnessTests.Simulators;

/// <summary>The simulated receiver: what it takes, and that it would notice a sender's mistakes.</summary>
public sealed class WebhookTests
{
    private const string Order = """{"userId":"125","alertMessage":"Order has been placed"}""";

    [Fact]
    public async Task An_alert_is_taken_once_by_its_id()
    {
        await using var receiver = await RunningGateway.StartAsync(("Webhooks:Behaviour:PerSecond", "0"));

        var answers = new[] { await SendAsync(receiver, "m1"), await SendAsync(receiver, "m1"), await SendAsync(receiver, "m2") };

        Assert.Equal([200, 200, 200], answers.Select(answer => answer.Status));
        var summary = await receiver.Client.GetFromJsonAsync<JsonElement>("/webhooks/summary");
        Assert.Equal((2, 1), (summary.GetProperty("alerted").GetInt32(), summary.GetProperty("repeated").GetInt32()));
        var first = (await receiver.Client.GetFromJsonAsync<JsonElement[]>("/webhooks/records"))![0];
        Assert.Equal(("125", "Alerted"), (first.GetProperty("userId").GetString(), first.GetProperty("outcome").GetString()));
    }

    [Theory]
    [InlineData("whsec_b3RoZXIgc2VjcmV0IG9mIHNvbWVib2R5IGVsc2U=", 0, Order)]
    [InlineData(AlertsOptions.DevelopmentSecret, -301, Order)]
    [InlineData(AlertsOptions.DevelopmentSecret, 301, Order)]
    [InlineData(AlertsOptions.DevelopmentSecret, 0, """{"userId":"125","alertMessage":"Another"}""")]
    public async Task What_is_signed_by_another_or_at_another_time_or_was_changed_is_refused(string secret, int secondsOff, string sent)
    {
        await using var receiver = await RunningGateway.StartAsync(("Webhooks:Behaviour:PerSecond", "0"));

        var answer = await SendAsync(receiver, "m1", secret, secondsOff, sent);

        Assert.Equal((401, "application/problem+json"), (answer.Status, answer.MediaType));
        Assert.Equal(0, (await receiver.Client.GetFromJsonAsync<JsonElement>("/webhooks/summary")).GetProperty("alerted").GetInt32());
    }

    [Fact]
    public async Task Without_a_signature_nothing_is_taken()
    {
        await using var receiver = await RunningGateway.StartAsync(("Webhooks:Behaviour:PerSecond", "0"));

        using var answer = await receiver.Client.PostAsync("/webhooks/alerts", new StringContent(Order, Encoding.UTF8, "application/json"));

        Assert.Equal(401, (int)answer.StatusCode);
    }

    [Fact]
    public async Task As_it_comes_it_takes_one_request_every_two_seconds_of_each_client_and_path()
    {
        await using var receiver = await RunningGateway.StartAsync();

        Assert.Equal(200, (await SendAsync(receiver, "m1")).Status);
        var refused = await SendAsync(receiver, "m2");
        var elsewhere = await SendAsync(receiver, "m2", path: "/webhooks/alerts/other");

        Assert.Equal((429, 200), (refused.Status, elsewhere.Status));
        Assert.InRange(refused.RetryAfter!.Value.TotalSeconds, 1, 2);
    }

    [Fact]
    public async Task It_answers_as_it_is_told_and_refuses_what_it_does_not_understand()
    {
        await using var receiver = await RunningGateway.StartAsync();

        using var gone = await receiver.Client.PutAsJsonAsync("/webhooks/behaviour", new { perSecond = 0, answer = 410 });
        using var odd = await receiver.Client.PutAsJsonAsync("/webhooks/behaviour", new { perSecnd = 1 });

        Assert.Equal((200, 400), ((int)gone.StatusCode, (int)odd.StatusCode));
        Assert.Equal(410, (await SendAsync(receiver, "m1")).Status);
    }

    private static Task<RunningGateway.Reply> SendAsync(
        RunningGateway receiver, string id, string secret = AlertsOptions.DevelopmentSecret, int secondsOff = 0, string sent = Order,
        string path = "/webhooks/alerts")
    {
        var timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + secondsOff;
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(sent, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", $"{timestamp}");
        request.Headers.Add("webhook-signature", WebhookSignature.Sign(WebhookSignature.Keys(secret), id, timestamp, Encoding.UTF8.GetBytes(Order)));
        return receiver.SendAsync(request);
    }
}
