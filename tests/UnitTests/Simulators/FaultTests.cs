using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Sagas.Configuration;
using Sagas.Simulators;

namespace Sagas.UnitTests.Simulators;

public sealed class FaultTests(SharedSimulators simulators) : IClassFixture<SharedSimulators>
{
    [Fact]
    public async Task Failing_before_does_nothing()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(new { failBefore = 1 });

        Assert.Contains((await gateway.PayAsync("key-1")).Status, new[] { 500, 503 });
        Assert.Equal(new(1, 0, 0, 0, 0, 1, 0, 0), await gateway.SummaryAsync());
    }

    [Fact]
    public async Task Failing_after_has_the_effect_and_a_retry_is_a_replay()
    {
        await using var gateway = await RunningGateway.StartAsync(("Gateway:Faults:FailAfter", "1"));

        Assert.Contains((await gateway.PayAsync("key-1")).Status, new[] { 500, 503 });
        await gateway.SetFaultsAsync(new { });

        Assert.True((await gateway.PayAsync("key-1")).IsReplay);
        Assert.Equal(new(2, 1, 1, 0, 0, 1, 0, 0), await gateway.SummaryAsync());
    }

    [Fact]
    public async Task A_lost_answer_cuts_the_connection_after_the_effect()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(new { lostAfter = 1 });

        await Assert.ThrowsAsync<HttpRequestException>(() => gateway.PayAsync("key-1"));

        var record = Assert.Single(await gateway.RecordsAsync());
        Assert.True(record.GetProperty("effect").GetBoolean());
        Assert.Equal("lostAfter", record.GetProperty("fault").GetString());
        Assert.Equal(JsonValueKind.Null, record.GetProperty("status").ValueKind);
    }

    [Fact]
    public async Task Half_a_response_has_its_headers_and_then_breaks()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(new { halfResponse = 1 });

        using var request = RunningGateway.Payment("key-1");
        using var response = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => response.Content.ReadAsStringAsync());
        Assert.Equal(1, (await gateway.SummaryAsync()).Effects);
    }

    [Fact]
    public async Task Garbage_is_a_success_that_is_not_json()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(new { garbage = 1 });

        var reply = await gateway.PayAsync("key-1");

        Assert.InRange(reply.Status, 200, 201);
        Assert.ThrowsAny<JsonException>(() => reply.Json);
        Assert.Equal(1, (await gateway.SummaryAsync()).Effects);
    }

    [Fact]
    public async Task Too_many_requests_has_a_Retry_After()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(new { tooManyRequests = 1, retryAfterSeconds = 7 });

        var reply = await gateway.PayAsync("key-1");

        Assert.Equal((429, TimeSpan.FromSeconds(7)), (reply.Status, reply.RetryAfter));
        Assert.Equal(0, (await gateway.SummaryAsync()).Effects);
    }

    [Fact]
    public async Task A_gateway_that_is_down_answers_503_until_its_time_and_stays_healthy()
    {
        var gateway = await simulators.CleanAsync();
        using var down = await gateway.Client.PostAsync("/payments/down?seconds=3600", null);

        Assert.Equal(503, (await gateway.PayAsync("key-1")).Status);
        Assert.Equal("Healthy", await gateway.Client.GetStringAsync("/health/ready"));
        await gateway.SetFaultsAsync(new { downUntil = simulators.Time.GetUtcNow().AddSeconds(-1) });
        Assert.Equal(201, (await gateway.PayAsync("key-1")).Status);
    }

    [Fact]
    public async Task Going_down_keeps_the_other_faults_and_zero_seconds_end_it()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(new { tooManyRequests = 1 });
        using var down = await gateway.Client.PostAsync("/payments/down?seconds=3600", null);
        Assert.Equal(503, (await gateway.PayAsync("key-1")).Status);

        using var up = await gateway.Client.PostAsync("/payments/down?seconds=0", null);

        Assert.Equal(429, (await gateway.PayAsync("key-1")).Status);
    }

    [Fact]
    public async Task Calls_over_the_concurrency_limit_are_rejected()
    {
        var timeProvider = new FakeTimeProvider();
        await using var gateway = await RunningGateway.StartAsync(timeProvider);
        await gateway.SetFaultsAsync(new { maxConcurrent = 2, latency = new { minMs = 2_000, maxMs = 2_000 } });

        var paying = Enumerable.Range(0, 6).Select(number => gateway.PayAsync($"key-{number}", $"p-{number}")).ToArray();
        await Eventually.TrueAsync("four payments are answered", () => paying.Count(pay => pay.IsCompleted) == 4);
        await timeProvider.AdvanceUntilAsync(
            "all are answered",
            () => paying.All(pay => pay.IsCompleted),
            TimeSpan.FromSeconds(1)
        );
        var replies = await Task.WhenAll(paying);

        Assert.Equal([201, 201, 503, 503, 503, 503], replies.Select(reply => reply.Status).Order());
        Assert.Equal(2, (await gateway.SummaryAsync()).Effects);
    }

    [Fact]
    public async Task A_caller_that_disconnects_does_not_stop_its_payment()
    {
        var timeProvider = new TimerCountingTimeProvider();
        await using var gateway = await RunningGateway.StartAsync(timeProvider);
        await gateway.SetFaultsAsync(new { latency = new { minMs = 4_000, maxMs = 4_000 } });
        using var hangUp = new CancellationTokenSource();
        using var request = RunningGateway.Payment("key-1");
        var paying = gateway.Client.SendAsync(request, hangUp.Token);
        await timeProvider.TimersMadeAsync(1);

        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => paying);
        Assert.Equal(0, (await gateway.SummaryAsync()).Effects);
        timeProvider.Advance(TimeSpan.FromSeconds(2));

        await Eventually.EqualAsync(1, async () => (await gateway.SummaryAsync()).Effects);
    }

    [Fact]
    public async Task Latency_and_slowness_delay_the_answer()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(
            new
            {
                latency = new { minMs = 100, maxMs = 120 },
                slowRate = 1,
                slowMs = 100,
            }
        );

        var started = simulators.Time.GetTimestamp();
        var paying = gateway.PayAsync("key-1");
        await simulators.Time.AdvanceUntilAsync("it is answered", () => paying.IsCompleted, TimeSpan.FromMilliseconds(10));
        await paying;

        var took = simulators.Time.GetElapsedTime(started);
        Assert.True(took >= TimeSpan.FromMilliseconds(200), $"took {took.TotalMilliseconds} ms");
    }

    [Fact]
    public async Task Each_fault_has_the_share_that_was_configured()
    {
        var gateway = await simulators.CleanAsync();
        await gateway.SetFaultsAsync(
            new
            {
                failBefore = 0.3,
                tooManyRequests = 0.2,
                failAfter = 0.2,
                garbage = 0.3,
            }
        );

        await Parallel.ForAsync(0, 1_000, async (number, _) => await gateway.PayAsync($"key-{number}", $"p-{number}"));

        var shares = (await gateway.RecordsAsync()).CountBy(record => record.GetProperty("fault").GetString()!).ToDictionary();
        // Six standard deviations: one failure in some hundred million runs.
        Assert.InRange(shares["failBefore"], 213, 387);
        Assert.InRange(shares["tooManyRequests"], 124, 276);
        Assert.InRange(shares["failAfter"], 124, 276);
        Assert.InRange(shares["garbage"], 213, 387);
    }

    [Theory]
    [InlineData("""{"failBefor":1}""", "failBefor")]
    [InlineData("""{"failBefore":"often"}""", "failBefore")]
    [InlineData("""{"failBefore":1.5}""", "failBefore")]
    [InlineData("""{"failBefore":0.6,"garbage":0.6}""", "more than 1")]
    [InlineData("""{"latency":{"minMs":2,"maxMs":1}}""", "latency")]
    [InlineData("""{"latency":null}""", "latency")]
    [InlineData("""{"maxConcurrent":-1}""", "maxConcurrent")]
    [InlineData("null", "null")]
    [InlineData("{", "JSON")]
    public async Task Invalid_faults_are_rejected_and_change_nothing(string body, string reason)
    {
        var gateway = await simulators.CleanAsync();

        using var content = new StringContent(body);
        using var response = await gateway.Client.PutAsync("/payments/faults", content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Contains(reason, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(201, (await gateway.PayAsync("key-1")).Status);
    }

    [Fact]
    public async Task The_current_faults_can_be_read_and_restored()
    {
        await using var gateway = await RunningGateway.StartAsync(
            ("Gateway:Faults:LostAfter", "0.25"),
            ("Gateway:Faults:Latency:MaxMs", "5")
        );

        var faults = await gateway.Client.GetFromJsonAsync<JsonElement>("/payments/faults");
        await gateway.SetFaultsAsync(faults);

        Assert.Equal(0.25, faults.GetProperty("lostAfter").GetDouble());
        Assert.Equal(5, faults.GetProperty("latency").GetProperty("maxMs").GetInt32());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?seconds=-1")]
    [InlineData("?seconds=soon")]
    public async Task Down_requires_a_number_of_seconds(string query)
    {
        var gateway = await simulators.CleanAsync();

        using var response = await gateway.Client.PostAsync($"/payments/down{query}", null);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("Gateway:DeclineRate", "2")]
    [InlineData("Gateway:Faults:FailAfter", "-1")]
    public void Invalid_settings_stop_the_start(string key, string value) =>
        Assert.Throws<InvalidConfigurationException>(() =>
            SimulatorHost.Create([], new Dictionary<string, string?> { [key] = value })
        );

    [Fact]
    public void All_invalid_settings_are_reported_at_once()
    {
        var invalid = Assert.Throws<InvalidConfigurationException>(() =>
            SimulatorHost.Create(
                [],
                new Dictionary<string, string?> { ["Gateway:DeclineRate"] = "often", ["Crm:DeclineRate"] = "2" }
            )
        );

        Assert.Contains(
            invalid.Problems,
            problem => problem.StartsWith("Gateway:DeclineRate is 'often': use a number", StringComparison.Ordinal)
        );
        Assert.Contains(invalid.Problems, problem => problem.StartsWith("Crm:DeclineRate is 2", StringComparison.Ordinal));
    }
}
