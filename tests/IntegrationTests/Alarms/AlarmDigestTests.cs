using RabbitMQ.Client;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>Alarms as other systems see them: plain JSON in and out of a broker, on a real database.</summary>
public sealed class AlarmDigestTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_digest_tells_the_active_alarms_oldest_first_and_each_change_once()
    {
        await using var system = await StartAsync();
        var digests = await DigestReader.StartAsync(system);
        await ChangeAsync(system, "c", "WARNING", "2021-06-07T20:40:15.598765213Z");
        await ChangeAsync(system, "b", "Critical", "2021-06-07T20:40:15.598765212Z");
        await ChangeAsync(system, "a", "critical", "2021-06-07T22:40:15.598765212+02:00");
        await ChangeAsync(system, "z", "WARNING", "2021-06-07T20:40:15.5Z");
        await ChangeAsync(system, "gone", "CRITICAL", "2021-06-07T20:40:15Z");
        await ChangeAsync(system, "gone", "cleared", "2021-06-07T20:40:16Z");
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE alarm_id <> 'gone' OR status = 'CLEARED'", 5L);
        await AskAsync(system);
        var first = await digests.NextAsync();
        Assert.Equal("u", first.UserId);
        Assert.Equal(
            [
                "z WARNING 2021-06-07T20:40:15.5Z",
                "a CRITICAL 2021-06-07T20:40:15.598765212Z",
                "b CRITICAL 2021-06-07T20:40:15.598765212Z",
                "c WARNING 2021-06-07T20:40:15.598765213Z",
            ],
            first.Alarms);

        await AskAsync(system);
        await system.WaitForAsync("SELECT count(*) FROM inbox_state", 2L);
        await ChangeAsync(system, "a", "WARNING", "2021-06-07T20:40:15.598765213Z");
        await ChangeAsync(system, "b", "CLEARED", "2021-06-07T20:40:17Z");
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE status = 'CLEARED' OR told_changed_at <> changed_at", 3L);
        await AskAsync(system);
        Assert.Equal(["a WARNING 2021-06-07T20:40:15.598765213Z"], (await digests.NextAsync()).Alarms);
        await system.WaitForAsync("SELECT count(*) FROM inbox_state", 3L);
        Assert.True(digests.IsEmpty);
        Assert.Equal(2L, await system.QueryAsync<long>("SELECT count(*) FROM alarm_digest WHERE user_id = 'u'"));
        Assert.Equal(first.MessageId, await system.QueryAsync<string>("SELECT message_id::text FROM alarm_digest ORDER BY digest_id LIMIT 1"));
    }

    [Fact]
    public async Task A_request_with_the_same_message_id_tells_nothing_twice()
    {
        await using var system = await StartAsync();
        var digests = await DigestReader.StartAsync(system);
        await ChangeAsync(system, "a", "WARNING", "2026-01-01T00:00:00Z");
        await WaitAsync(system, 1);
        await AskAsync(system, "request-1");
        await digests.NextAsync();
        await ChangeAsync(system, "a", "CRITICAL", "2026-01-01T00:00:01Z");
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE status = 'CRITICAL'", 1L);
        await AskAsync(system, "request-1");
        await AskAsync(system, "request-2");
        Assert.Equal(["a CRITICAL 2026-01-01T00:00:01Z"], (await digests.NextAsync()).Alarms);
        await system.WaitForAsync("SELECT count(*) FROM inbox_state", 2L);
        Assert.Equal(2L, await system.QueryAsync<long>("SELECT count(*) FROM alarm_digest"));
    }

    [Fact]
    public async Task A_bad_change_is_a_dead_letter_and_those_around_it_are_written()
    {
        await using var system = await StartAsync();
        var letters = await system.ReadDeadLettersAsync("AlarmStatusChanged");
        (string Body, string Reason)[] bad =
        [
            (Body("x", "LOUD", "2026-01-01T00:00:00Z"), "Status must be one of CLEARED, WARNING, CRITICAL"),
            (Body("x", "WARNING", "yesterday"), "ChangedAt must be an ISO 8601 time"),
            (Body("x", "WARNING", "0001-01-01T00:00:00Z"), "ChangedAt must not be before 1970-01-01"),
            (Body("x", "WARNING", "9999-12-31T23:59:59.999999999Z"), "ChangedAt lies in the future"),
            ("""{"UserID":"u","Status":"WARNING","ChangedAt":"2026-01-01T00:00:00Z"}""", "AlarmId is missing"),
            ("""{"AlarmID":"x","Status":"WARNING","ChangedAt":"2026-01-01T00:00:00Z"}""", "UserId is missing"),
            ("""{"AlarmID":"x","UserID":"u","Status":"WARNING"}""", "ChangedAt is missing"),
            ("{", "not JSON"),
        ];
        var count = 0;
        foreach (var (body, reason) in bad)
        {
            await ChangeAsync(system, $"good-{count++}", "WARNING", "2026-01-01T00:00:00Z");
            await system.PublishAsync("AlarmStatusChanged", body);
            var letter = await letters.NextAsync();
            Assert.Equal(body, letter.Body);
            Assert.Contains(reason, letter.Reason);
        }

        await WaitAsync(system, count);
        Assert.True(letters.IsEmpty);
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM alarm WHERE alarm_id = 'x'"));
    }

    private static string Body(string alarm, string status, string at) =>
        $$"""{"AlarmID":"{{alarm}}","UserID":"u","Status":"{{status}}","ChangedAt":"{{at}}"}""";

    private static Task ChangeAsync(TestSystem system, string alarm, string status, string at) =>
        system.PublishAsync("AlarmStatusChanged", Body(alarm, status, at));

    private static Task AskAsync(TestSystem system, string? messageId = null)
    {
        var properties = new BasicProperties { Persistent = true };
        if (messageId is not null)
            properties.MessageId = messageId;
        return system.PublishAsync("SendAlarmDigest", """{"UserID":"u"}""", properties);
    }

    private static Task WaitAsync(TestSystem system, int alarms) =>
        system.WaitForAsync("SELECT count(*) FROM alarm", (long)alarms);

    private async Task<TestSystem> StartAsync(params (string, string?)[] settings)
    {
        var system = await TestSystem.CreateAsync(servers, [("Roles", "alarms"), .. settings]);
        await system.StartAsync();
        return system;
    }
}
