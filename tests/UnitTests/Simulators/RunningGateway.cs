using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Sagas.Simulators;

namespace Sagas.UnitTests.Simulators;

/// <summary>The simulators on a free port, in this process: real connections, so that they can be cut.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningGateway(WebApplication app)
    {
        _app = app;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public HttpClient Client { get; }

    public static Task<RunningGateway> StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, settings);

    public static async Task<RunningGateway> StartAsync(TimeProvider? timeProvider, params (string Key, string Value)[] settings)
    {
        var all = settings.ToDictionary(setting => setting.Key, string? (setting) => setting.Value);
        all["urls"] = "http://127.0.0.1:0";
        var app = SimulatorHost.Create([], all, timeProvider);
        await app.StartAsync();
        return new RunningGateway(app);
    }

    public static HttpRequestMessage Payment(string? key, string payment = "p-1", string amount = "12.34") =>
        Post(key, $$"""{"paymentId":"{{payment}}","customerId":"c-1","amount":{{amount}},"currency":"EUR"}""");

    public static HttpRequestMessage Post(string? key, string body, string contentType = "application/json")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/payments")
        {
            Content = new StringContent(body, Encoding.UTF8, contentType),
        };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return request;
    }

    public async Task<Reply> PayAsync(string key, string payment = "p-1", string amount = "12.34") =>
        await SendAsync(Payment(key, payment, amount));

    public async Task<Reply> SendAsync(HttpRequestMessage request)
    {
        using var response = await Client.SendAsync(request);
        return new Reply(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(),
            response.Headers.Contains("Idempotent-Replayed"),
            response.Headers.RetryAfter?.Delta
        );
    }

    public async Task SetFaultsAsync(object faults)
    {
        using var response = await Client.PutAsJsonAsync("/payments/faults", faults);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public async Task<Counts> SummaryAsync() => (await Client.GetFromJsonAsync<Counts>("/payments/summary"))!;

    public async Task<JsonElement[]> RecordsAsync() => (await Client.GetFromJsonAsync<JsonElement[]>("/payments/records"))!;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    internal sealed record Reply(int Status, string? MediaType, string Body, bool IsReplay, TimeSpan? RetryAfter)
    {
        public JsonElement Json => JsonDocument.Parse(Body).RootElement;

        public string? Text(string property) => Json.GetProperty(property).GetString();
    }

    internal sealed record Counts(
        long Requests,
        long Effects,
        long Replays,
        long Declines,
        long Rejected,
        long Faults,
        long DuplicateEffects,
        long DuplicatePayments
    );
}
