using System.Net;
using System.Net.Http.Json;
using System.Text;
using RabbitMQ.Client;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Delivery of an alert, from the message to the receiver's answer and its consequences.</summary>
public sealed class DeliveryTests(ServersFixture servers, DeliveryTests.Shared shared)
    : IClassFixture<ServersFixture>,
        IClassFixture<DeliveryTests.Shared>
{
    private static readonly object _unlimited = new { perSecond = 0 };

    [Fact]
    public async Task An_alert_sent_several_times_is_delivered_once_and_published_once()
    {
        var system = await shared.BehavingAsync(_unlimited);
        await using var channel = await system.Services.OpenChannelAsync();
        await channel.ExchangeDeclareAsync("AlertDelivered", "fanout", durable: true);
        await channel.QueueDeclareAsync("events", durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync("events", "AlertDelivered", "");

        for (var time = 0; time < 3; time++)
            await system.SendAsync("order-7 ✓", "event-125", "Order has been placed, \"Ada\"");
        await system.WaitForStateAsync("delivered", 1, "user_id LIKE 'event-%'");
        await system.SendAsync("order-8", "event-126", "x");
        await system.WaitForStateAsync("delivered", 2, "user_id LIKE 'event-%'");

        var alerted = await system.AlertedAsync("event-");
        Assert.Equal(2, alerted.Length);
        Assert.Equal(("event-125", "Order has been placed, \"Ada\""), (alerted[0].UserId, alerted[0].AlertMessage));
        Assert.StartsWith("msg_", alerted[0].Id, StringComparison.Ordinal);
        Assert.Equal("order-8", alerted[1].Id);
        Assert.Equal(["event-125,\"Order has been placed, \"\"Ada\"\"\"", "event-126,x"], system.Output("event-"));
        var events = new HashSet<string?>();
        await Eventually.TrueAsync(
            "two events",
            async () =>
            {
                // A late confirm makes the relay send the message again.
                while (await channel.BasicGetAsync("events", autoAck: true) is { } message)
                {
                    if (Encoding.UTF8.GetString(message.Body.Span).Contains("event-", StringComparison.Ordinal))
                        events.Add(message.BasicProperties.MessageId);
                }

                return events.Count >= 2;
            }
        );
        Assert.Equal(2, events.Count);
    }

    [Fact]
    public async Task Another_alert_with_the_id_of_an_earlier_one_becomes_a_dead_letter()
    {
        var system = await shared.BehavingAsync(_unlimited);
        await using var letters = await system.Services.ReadDeadLettersAsync("send-alert");

        await system.SendAsync("conflict-1", "conflict-125", "first");
        await system.WaitForStateAsync("delivered", 1, "alert_id = 'conflict-1'");
        await system.SendAsync(" conflict-1 ", "conflict-125", "first");
        await system.SendAsync("conflict-1", "conflict-126", "first");
        Assert.Contains("before for another user or with another text", (await letters.NextAsync()).Reason);
        await system.SendAsync("conflict-1", "conflict-125", "second");
        Assert.Contains("Alert conflict-1 was requested before", (await letters.NextAsync()).Reason);
        await system.SendAsync("conflict-2", "conflict-125", "second");
        await system.WaitForStateAsync("delivered", 1, "alert_id = 'conflict-2'");

        Assert.True(letters.IsEmpty);
        Assert.Equal(["first", "second"], (await system.AlertedAsync("conflict-")).Select(record => record.AlertMessage));
    }

    [Fact]
    public async Task A_receiver_that_denies_access_for_a_while_loses_no_alert()
    {
        var system = await shared.BehavingAsync(new { perSecond = 0, answer = 403 });

        await system.SendAsync("denied-1", "denied-125", "x");
        await system.WaitForStateAsync("parked", 1, "alert_id = 'denied-1'");
        await system.BehaveAsync(_unlimited);
        await RetryAsync(system, "/retry?id=denied-1");

        await system.WaitForStateAsync("delivered", 1, "alert_id = 'denied-1'");
    }

    [Fact]
    public async Task A_rejected_alert_fails_at_once_and_is_not_retried()
    {
        var system = await shared.BehavingAsync(new { perSecond = 0, answer = 422 });

        await system.SendAsync("rejected-1", "rejected-125", "x");
        await system.WaitForStateAsync("failed", 1, "alert_id = 'rejected-1'");

        Assert.Equal(
            "422: the receiver rejected it",
            await system.Services.QueryAsync<string>("SELECT last_answer FROM alert_delivery WHERE alert_id = 'rejected-1'")
        );
        Assert.Single(await system.RecordsOfAsync("rejected-"));
        await system.Services.WaitForAsync(
            "SELECT count(*) FROM outbound_call WHERE idempotency_key = 'rejected-1' AND due IS NOT NULL",
            0L
        );
    }

    [Fact]
    public async Task Failures_follow_the_schedule_and_parked_alerts_are_retried_once_on_request()
    {
        var system = await shared.BehavingAsync(new { perSecond = 0, answer = 500 });

        await system.SendAsync("parked-1", "parked-125", "x");
        await system.SendAsync("parked-2", "parked-126", "y");
        await system.WaitForStateAsync("parked", 2, "user_id LIKE 'parked-%'");
        var tries = (await system.RecordsOfAsync("parked-125")).Select(record => record.At).ToArray();
        Assert.Equal(3, tries.Length);
        Assert.True(tries[1] - tries[0] > TimeSpan.FromSeconds(0.19), $"{tries[1] - tries[0]}");
        Assert.True(tries[2] - tries[1] > TimeSpan.FromSeconds(0.39), $"{tries[2] - tries[1]}");

        await system.BehaveAsync(_unlimited);
        var retries = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => RetryAsync(system, "/retry")));
        Assert.Equal(2, retries.Sum());
        await system.WaitForStateAsync("delivered", 2, "user_id LIKE 'parked-%'");
        Assert.Equal(2, (await system.AlertedAsync("parked-")).Length);
    }

    [Fact]
    public async Task A_receiver_that_answers_410_is_not_called_until_an_operator_retries()
    {
        await using var system = await AlertSystem.StartAsync(servers, new { perSecond = 0, answer = 410 });

        await system.SendAsync("a1", "125", "x");
        await system.WaitForStateAsync("parked", 1);
        await system.BehaveAsync(_unlimited);
        for (var number = 2; number < 6; number++)
            await system.SendAsync($"a{number}", "125", "x");
        await system.WaitForStateAsync("waiting", 4);
        Assert.True(await system.Services.QueryAsync<bool>("SELECT disabled_at IS NOT NULL FROM rate_limit"));
        await system.AskedForPermitsAsync();
        Assert.Single(await system.RecordsAsync());

        Assert.Equal(1, await RetryAsync(system, "/retry"));
        await system.WaitForStateAsync("delivered", 5);
    }

    [Fact]
    public async Task Waiting_for_Retry_After_uses_no_attempts()
    {
        var system = await shared.BehavingAsync(_unlimited);
        await system.FailAsync(new { tooManyRequests = 1, retryAfterSeconds = 0 });

        await system.SendAsync("waiting-1", "waiting-125", "x");
        // More calls than its schedule has attempts.
        await Eventually.TrueAsync("five calls", async () => (await system.RecordsOfAsync("waiting-")).Length >= 5);
        Assert.Equal(
            0,
            await system.Services.QueryAsync<int>(
                "SELECT attempts - CASE state WHEN 'in_flight' THEN 1 ELSE 0 END FROM alert_delivery WHERE alert_id = 'waiting-1'"
            )
        );
        await system.FailAsync(new { });

        await system.WaitForStateAsync("delivered", 1, "alert_id = 'waiting-1'");
    }

    [Fact]
    public async Task A_long_Retry_After_is_cut_and_ended_by_a_retry()
    {
        var system = await shared.BehavingAsync(_unlimited);
        (system.ForcedRetryAfter, system.ForcedStatus) = ("86400", 429);
        await system.SendAsync("paused-1", "paused-125", "x");
        await system.WaitForStateAsync("waiting", 1, "alert_id = 'paused-1' AND last_answer IS NOT NULL");
        Assert.True(
            await system.Services.QueryAsync<bool>(
                "SELECT paused_until BETWEEN now() + interval '30 minutes' AND now() + interval '1 hour' FROM rate_limit"
            )
        );
        system.ForcedStatus = null;

        await RetryAsync(system, "/retry?id=paused-1");

        await system.WaitForStateAsync("delivered", 1, "alert_id = 'paused-1'");
    }

    [Fact]
    public async Task Retries_and_uploads_need_the_key()
    {
        var system = await shared.BehavingAsync(_unlimited);
        using var stranger = new HttpClient { BaseAddress = system.Services.Http.BaseAddress };

        foreach (
            var (method, path) in new[]
            {
                (HttpMethod.Get, "/retry"),
                (HttpMethod.Post, "/retry"),
                (HttpMethod.Post, "/files/alerts"),
            }
        )
        {
            using var answer = await stranger.SendAsync(new HttpRequestMessage(method, path));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        }

        Assert.Equal(0, await RetryAsync(system, "/retry"));
        using var get = await system.Services.Http.GetAsync("/retry");
        Assert.Equal(HttpStatusCode.OK, get.StatusCode);
    }

    [Fact]
    public async Task A_secret_is_rotated_without_losing_a_delivery()
    {
        var system = await shared.BehavingAsync(_unlimited);

        // The receiver knows the old one only; the new one comes first.
        await system.SendAsync("rotated-1", "rotated-125", "x");

        await system.WaitForStateAsync("delivered", 1, "alert_id = 'rotated-1'");
    }

    [Fact]
    public async Task A_receiver_on_a_private_address_that_is_not_allowed_is_never_called()
    {
        await using var system = await AlertSystem.StartAsync(
            servers,
            _unlimited,
            ("Alerts:Endpoint", "https://127.0.0.1:1/hook"),
            ("Alerts:AllowedHosts", ""),
            ("Alerts:RetrySchedule", "0:0:0")
        );

        await system.SendAsync("a1", "125", "x");

        await system.WaitForStateAsync("parked", 1);
        Assert.Contains(
            "may not be called",
            await system.Services.QueryAsync<string>("SELECT last_answer FROM alert_delivery"),
            StringComparison.Ordinal
        );
    }

    private static async Task<long> RetryAsync(AlertSystem system, string path)
    {
        using var answer = await system.Services.Http.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return
            (await answer.Content.ReadFromJsonAsync<Dictionary<string, object>>())!["alerts"]
                is System.Text.Json.JsonElement count
            ? count.GetInt64()
            : -1;
    }

    public sealed class Shared : SharedAlerts
    {
        private const string NextSecret = "whsec_bmV3LXNlY3JldC1vZi10aGUtcmVjZWl2ZXItMDAwMDA=";

        private protected override (string Key, string? Value)[] Settings =>
            [
                ("Alerts:RetrySchedule", "0:0:0,0:0:0.2,0:0:0.4"),
                ("Alerts:Secrets", $"{NextSecret} {Sagas.Services.Alerts.AlertsOptions.DevelopmentSecret}"),
            ];

        /// <summary>The system, with a receiver of this behaviour.</summary>
        internal async Task<AlertSystem> BehavingAsync(object behaviour)
        {
            await System.BehaveAsync(behaviour);
            return System;
        }
    }
}
