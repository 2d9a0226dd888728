using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using RabbitMQ.Client;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.ObjectStatus;

/// <summary>A host with the callback, and the status API that it calls.</summary>
internal sealed class ObjectStatusSystem : IAsyncDisposable
{
    private const string SeenQueue = "seen-by-the-test";

    private readonly HttpClient _client = new();

    private ObjectStatusSystem(TestSystem host, StatusApiDouble api) => (Host, Api) = (host, api);

    public TestSystem Host { get; }

    public StatusApiDouble Api { get; }

    public Uri Callback => new(new Uri(Host.Urls.Last()), "/callback");

    public static async Task<ObjectStatusSystem> CreateAsync(ITestServers servers, params (string Key, string? Value)[] settings)
    {
        var api = await StatusApiDouble.StartAsync();
        var host = await TestSystem.CreateAsync(
            servers,
            [
                ("ObjectStatus:StatusApi", api.Url),
                ("ObjectStatus:CacheDuration", "00:00:00"),
                ("ObjectStatus:ExpiryTimeout", "01:00:00"),
                // Long, so that slowness alone rejects, repeats or postpones nothing.
                ("ObjectStatus:BrokerTimeout", "00:01:00"),
                ("ObjectStatus:DatabaseTimeout", "00:01:00"),
                ("ObjectStatus:AttemptTimeout", "00:05:00"),
                .. settings,
            ]
        );
        return new(host, api);
    }

    public static async Task<ObjectStatusSystem> StartAsync(ITestServers servers, params (string Key, string? Value)[] settings)
    {
        var system = await CreateAsync(servers, settings);
        await system.Host.StartAsync();
        return system;
    }

    public async Task<HttpResponseMessage> PostAsync(string body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Callback) { Content = new StringContent(body) };
        if (key is not null)
            request.Headers.Add("X-Api-Key", key);
        return await _client.SendAsync(request);
    }

    /// <summary>Posts ids, which must be accepted; retries after 503, as callers do.</summary>
    public async Task AcceptAsync(params IEnumerable<object> ids)
    {
        var body = JsonSerializer.Serialize(new { object_ids = ids });
        await Eventually.TrueAsync(
            "a callback that is accepted",
            async () =>
            {
                using var response = await PostAsync(body);
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                    return false;
                Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
                return true;
            }
        );
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri url, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(method, url) { Content = content };
        return await _client.SendAsync(request);
    }

    public Task SeenAsync(long objects) => Host.WaitForAsync("SELECT count(*) FROM object_status", objects);

    /// <summary>Waits until the API has been called at least this often.</summary>
    public Task CalledAsync(int times) =>
        Eventually.MatchesAsync($"{times} calls of the API", () => Task.FromResult(Api.CallCount), count => count >= times);

    /// <summary>Keeps every <c>ObjectSeen</c> from now on in a queue.</summary>
    public async Task KeepSightingsAsync()
    {
        await using var channel = await Host.OpenChannelAsync();
        await channel.ExchangeDeclareAsync("ObjectSeen", "fanout", durable: true);
        await channel.QueueDeclareAsync(
            SeenQueue,
            true,
            false,
            false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }
        );
        await channel.QueueBindAsync(SeenQueue, "ObjectSeen", "");
    }

    /// <summary>Takes the kept sightings and counts them.</summary>
    public Task<int> SightingsAsync(int atLeast) => Host.TakeAllAsync(SeenQueue, atLeast);

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Api.DisposeAsync();
        _client.Dispose();
    }

    public static async Task<JsonElement> ProblemAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
