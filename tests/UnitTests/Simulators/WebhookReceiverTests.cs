using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sagas.UnitTests.Simulators;

public sealed class WebhookReceiverTests(SharedSimulators simulators) : IClassFixture<SharedSimulators>, IAsyncLifetime
{
    private const string Secret = "c2FnYXMtZGV2ZWxvcG1lbnQtYWxlcnQtc2VjcmV0";
    private const string Body = "{\"userId\":\"125\",\"alertMessage\":\"Order has been placed\"}";

    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _client = (await simulators.CleanAsync()).Client;
        using var unlimited = await _client.PutAsJsonAsync("/webhooks/behaviour", new { perSecond = 0 });
        Assert.True(unlimited.IsSuccessStatusCode);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_signed_alert_is_accepted_once_and_its_repetitions_are_recognised()
    {
        foreach (var id in (string[])["a", "a", "b"])
            Assert.Equal(200, await SendAsync(id));

        var summary = await SummaryAsync();
        Assert.Equal((2, 1), (summary.GetProperty("alerted").GetInt32(), summary.GetProperty("repeated").GetInt32()));
    }

    [Theory]
    [InlineData("v1,AAAA", 0)]
    [InlineData("", 0)]
    [InlineData(null, -600)]
    [InlineData(null, 600)]
    public async Task A_wrong_signature_or_timestamp_is_rejected(string? signature, int secondsOff)
    {
        Assert.Equal(401, await SendAsync("a", signature: signature, secondsOff: secondsOff));

        Assert.Equal(1, (await SummaryAsync()).GetProperty("unsigned").GetInt32());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"userId\":125,\"alertMessage\":\"x\"}")]
    [InlineData("{\"userId\":\"125\"}")]
    public async Task An_invalid_alert_is_rejected(string body) => Assert.Equal(400, await SendAsync("a", body));

    [Fact]
    public async Task The_default_limit_of_each_client_and_path_is_half_a_request_a_second()
    {
        using var defaults = await _client.PutAsJsonAsync("/webhooks/behaviour", new { });
        Assert.Equal(0.5, (await defaults.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("perSecond").GetDouble());

        Assert.Equal(200, await SendAsync("a"));
        Assert.Equal(429, await SendAsync("b"));
        Assert.Equal(200, await SendAsync("c", path: "/webhooks/alerts/other"));
        Assert.Equal(1, (await SummaryAsync()).GetProperty("limited").GetInt32());
        simulators.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(200, await SendAsync("b"));
    }

    [Fact]
    public async Task It_answers_as_configured()
    {
        using var gone = await _client.PutAsJsonAsync("/webhooks/behaviour", new { perSecond = 0, answer = 410 });

        Assert.Equal(410, await SendAsync("a"));
        Assert.Equal(0, (await SummaryAsync()).GetProperty("alerted").GetInt32());
    }

    [Fact]
    public async Task A_misspelt_behaviour_is_rejected()
    {
        using var answer = await _client.PutAsJsonAsync("/webhooks/behaviour", new { perSeconds = 1 });

        Assert.Equal(400, (int)answer.StatusCode);
    }

    private async Task<int> SendAsync(
        string id,
        string body = Body,
        string? signature = null,
        int secondsOff = 0,
        string path = "/webhooks/alerts"
    )
    {
        var timestamp = (simulators.Time.GetUtcNow().ToUnixTimeSeconds() + secondsOff).ToString(CultureInfo.InvariantCulture);
        var hash = HMACSHA256.HashData(Convert.FromBase64String(Secret), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"));
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", signature ?? "v1," + Convert.ToBase64String(hash));
        using var response = await _client.SendAsync(request);
        return (int)response.StatusCode;
    }

    private Task<JsonElement> SummaryAsync() => _client.GetFromJsonAsync<JsonElement>("/webhooks/summary");
}
