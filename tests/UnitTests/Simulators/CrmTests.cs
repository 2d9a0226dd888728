using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace Sagas.UnitTests.Simulators;

/// <summary>The simulated CRM: what it stores and answers, and that its counts reveal a caller's mistakes.</summary>
public sealed class CrmTests(SharedSimulators simulators) : IClassFixture<SharedSimulators>, IAsyncLifetime
{
    private HttpClient _crm = null!;

    public async Task InitializeAsync() => _crm = Client(await simulators.CleanAsync());

    public Task DisposeAsync()
    {
        _crm.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_customer_is_stored_and_found()
    {
        var (status, answer) = await StoreAsync("c/1", 1, key: "k1");

        Assert.Equal(
            (201, "c/1", 1),
            (status, answer.GetProperty("customerId").GetString(), answer.GetProperty("version").GetInt32())
        );
        var found = await _crm.GetFromJsonAsync<JsonElement>("customers?customerId=c%2F1");
        Assert.Equal(
            ("c/1", 1, "Ada"),
            (
                found.GetProperty("customerId").GetString(),
                found.GetProperty("version").GetInt32(),
                found.GetProperty("firstName").GetString()
            )
        );
        using var missing = await _crm.GetAsync(new Uri("customers?customerId=nobody", UriKind.Relative));
        Assert.Equal(
            (HttpStatusCode.NotFound, "application/problem+json"),
            (missing.StatusCode, missing.Content.Headers.ContentType!.MediaType)
        );
    }

    [Fact]
    public async Task A_key_has_its_effect_once_and_no_other()
    {
        var (_, first) = await StoreAsync("c", 1, "k1");
        var (again, replay) = await StoreAsync("c", 1, "k1");
        var (other, _) = await StoreAsync("c", 2, "k1");

        Assert.Equal((200, 422), (again, other));
        Assert.Equal(first.GetProperty("reference").GetString(), replay.GetProperty("reference").GetString());
        Assert.Equal((1, 1, 1), (await CountAsync("effects"), await CountAsync("replays"), await CountAsync("rejected")));
        Assert.Equal(0, await CountAsync("duplicateEffects"));
    }

    [Fact]
    public async Task Duplicate_and_stale_effects_are_counted()
    {
        await StoreAsync("c", 1);
        await StoreAsync("c", 1);
        await StoreAsync("c", 3);
        await StoreAsync("c", 2, "k");

        Assert.Equal(
            (4, 1, 1, 1),
            (
                await CountAsync("effects"),
                await CountAsync("duplicateEffects"),
                await CountAsync("staleEffects"),
                await CountAsync("customers")
            )
        );
        Assert.Equal(2, (await _crm.GetFromJsonAsync<JsonElement[]>("stored"))![0].GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task Each_customer_of_a_batch_has_its_own_result()
    {
        var (status, answer) = await PostAsync(
            "customers/batch",
            """
            {"customers":[
                {"idempotencyKey":"a","customerId":"1","version":1},
                {"customerId":"2","version":0},
                {"customerId":"3","version":1,"email":"x@declined.example"},
                {"idempotencyKey":"a","customerId":"1","version":1}
            ]}
            """
        );

        Assert.Equal(200, status);
        Assert.Equal(
            [201, 400, 422, 200],
            answer.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("status").GetInt32())
        );
        Assert.Equal(400, (await PostAsync("customers/batch", """{"customers":[]}""")).Status);
        Assert.Equal(400, (await PostAsync("customers/batch", "[]")).Status);
    }

    [Theory]
    [InlineData("no json", 400)]
    [InlineData("""{"customerId":"","version":1}""", 400)]
    [InlineData("""{"customerId":"c","version":"one"}""", 400)]
    [InlineData("[1]", 400)]
    [InlineData("null", 400)]
    public async Task An_invalid_customer_is_rejected(string body, int status)
    {
        Assert.Equal(status, (await PostAsync("customers", body)).Status);
        Assert.Equal((0, 1), (await CountAsync("effects"), await CountAsync("rejected")));
    }

    [Fact]
    public async Task The_record_survives_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("sagas-crm-").FullName;
        var recordFile = ("Crm:RecordFile", Path.Combine(directory, "crm.jsonl"));
        try
        {
            await using (var first = await RunningGateway.StartAsync(recordFile))
            {
                _crm = Client(first);
                await StoreAsync("c", 1, "k1");
                await StoreAsync("c", 2);
            }

            await using var second = await RunningGateway.StartAsync(recordFile);
            _crm = Client(second);

            Assert.Equal((2, 1), (await CountAsync("effects"), await CountAsync("customers")));
            Assert.Equal(200, (await StoreAsync("c", 1, "k1")).Status);
            await StoreAsync("c", 2);
            Assert.Equal((3, 1), (await CountAsync("effects"), await CountAsync("duplicateEffects")));
            Assert.Equal(4, (await _crm.GetFromJsonAsync<JsonElement[]>("records"))!.Length);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData("tooManyRequests", HttpStatusCode.TooManyRequests)]
    [InlineData("unavailable", HttpStatusCode.ServiceUnavailable)]
    [InlineData("queue", HttpStatusCode.Created)]
    public async Task A_call_over_the_limit_is_handled_as_configured(string whenFull, HttpStatusCode expected)
    {
        const int Latency = 1_000;
        var timeProvider = new FakeTimeProvider();
        await using var own = await RunningGateway.StartAsync(timeProvider);
        _crm = Client(own);
        using var set = await _crm.PutAsJsonAsync(
            "faults",
            new
            {
                latency = new { minMs = Latency, maxMs = Latency },
                maxConcurrent = 2,
                whenFull,
                retryAfterSeconds = 7,
            }
        );
        Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync());

        var started = timeProvider.GetTimestamp();
        var calls = Enumerable
            .Range(1, 3)
            .Select(number => Json($$"""{"customerId":"{{number}}","version":1}"""))
            .Select(customer => _crm.PostAsync(new Uri("customers", UriKind.Relative), customer))
            .ToArray();
        var queued = expected == HttpStatusCode.Created;
        // The third is rejected at once, or is queued until one of the others is finished.
        await Eventually.TrueAsync("a call is queued or rejected", () => queued || calls.Any(call => call.IsCompleted));
        await timeProvider.AdvanceUntilAsync(
            "all are answered",
            () => calls.All(call => call.IsCompleted),
            TimeSpan.FromMilliseconds(Latency / 10)
        );
        var answers = await Task.WhenAll(calls);

        Assert.Equal(
            [HttpStatusCode.Created, HttpStatusCode.Created, expected],
            answers.Select(answer => answer.StatusCode).Order()
        );
        Assert.Equal(
            expected == HttpStatusCode.TooManyRequests ? 1 : 0,
            answers.Count(answer => answer.Headers.RetryAfter?.Delta == TimeSpan.FromSeconds(7))
        );
        if (queued)
            Assert.True(timeProvider.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(2 * Latency));
    }

    private static HttpClient Client(RunningGateway own) => new() { BaseAddress = new Uri(own.Client.BaseAddress!, "/crm/") };

    private Task<(int Status, JsonElement Answer)> StoreAsync(string customer, int version, string? key = null) =>
        PostAsync("customers", $$"""{"customerId":"{{customer}}","version":{{version}},"firstName":"Ada"}""", key);

    private async Task<(int Status, JsonElement Answer)> PostAsync(string path, string body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(body) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await _crm.SendAsync(request);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private async Task<long> CountAsync(string name) =>
        (await _crm.GetFromJsonAsync<JsonElement>("summary")).GetProperty(name).GetInt64();
}
