using RabbitMQ.Client;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>Alarms as other systems see them: plain JSON in and out of a broker, on a real database.</summary>
public sealed class AlarmDigestTests(SharedAlarms shared) : IClassFixture<SharedAlarms>
{
    [Fact]
    [Trait("Category", "Smoke")]
    public async Task A_digest_has_the_active_alarms_oldest_first_and_each_change_once()
    {
        var system = shared.System;
        await using var digests = await DigestReader.StartAsync(system, "u");
        var asked = await system.QueryAsync<long>("SELECT count(*) FROM inbox_state");
        await ChangeAsync("u", "c", "WARNING", "2021-06-07T20:40:15.598765213Z");
        await ChangeAsync("u", "b", "Critical", "2021-06-07T20:40:15.598765212Z");
        await ChangeAsync("u", "a", "critical", "2021-06-07T22:40:15.598765212+02:00");
        await ChangeAsync("u", "z", "WARNING", "2021-06-07T20:40:15.5Z");
        await ChangeAsync("u", "gone", "CRITICAL", "2021-06-07T20:40:15Z");
        await ChangeAsync("u", "gone", "cleared", "2021-06-07T20:40:16Z");
        await system.WaitForAsync(
            "SELECT count(*) FROM alarm WHERE user_id = 'u' AND (alarm_id <> 'gone' OR status = 'CLEARED')",
            5L
        );
        await AskAsync("u");
        var first = await digests.NextAsync();
        Assert.Equal("u", first.UserId);
        Assert.Equal(
            [
                "z WARNING 2021-06-07T20:40:15.5Z",
                "a CRITICAL 2021-06-07T20:40:15.598765212Z",
                "b CRITICAL 2021-06-07T20:40:15.598765212Z",
                "c WARNING 2021-06-07T20:40:15.598765213Z",
            ],
            first.Alarms
        );

        await AskAsync("u");
        await system.WaitForAsync("SELECT count(*) FROM inbox_state", asked + 2);
        await ChangeAsync("u", "a", "WARNING", "2021-06-07T20:40:15.598765213Z");
        await ChangeAsync("u", "b", "CLEARED", "2021-06-07T20:40:17Z");
        await system.WaitForAsync(
            "SELECT count(*) FROM alarm WHERE user_id = 'u' AND (status = 'CLEARED' OR told_changed_at <> changed_at)",
            3L
        );
        await AskAsync("u");
        Assert.Equal(["a WARNING 2021-06-07T20:40:15.598765213Z"], (await digests.NextAsync()).Alarms);
        await system.WaitForAsync("SELECT count(*) FROM inbox_state", asked + 3);
        Assert.True(digests.IsEmpty);
        Assert.Equal(2L, await system.QueryAsync<long>("SELECT count(*) FROM alarm_digest WHERE user_id = 'u'"));
        Assert.Equal(
            first.MessageId,
            await system.QueryAsync<string>(
                "SELECT message_id::text FROM alarm_digest WHERE user_id = 'u' " + "ORDER BY digest_id LIMIT 1"
            )
        );
    }

    [Fact]
    public async Task A_request_with_the_same_message_id_sends_no_second_digest()
    {
        var system = shared.System;
        await using var digests = await DigestReader.StartAsync(system, "again");
        var asked = await system.QueryAsync<long>("SELECT count(*) FROM inbox_state");
        await ChangeAsync("again", "a", "WARNING", "2026-01-01T00:00:00Z");
        await WaitAsync("again", 1);
        await AskAsync("again", "request-1");
        await digests.NextAsync();
        await ChangeAsync("again", "a", "CRITICAL", "2026-01-01T00:00:01Z");
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE user_id = 'again' AND status = 'CRITICAL'", 1L);
        await AskAsync("again", "request-1");
        await AskAsync("again", "request-2");
        Assert.Equal(["a CRITICAL 2026-01-01T00:00:01Z"], (await digests.NextAsync()).Alarms);
        await system.WaitForAsync("SELECT count(*) FROM inbox_state", asked + 2);
        Assert.Equal(2L, await system.QueryAsync<long>("SELECT count(*) FROM alarm_digest WHERE user_id = 'again'"));
    }

    [Fact]
    public async Task An_invalid_change_becomes_a_dead_letter_and_the_others_are_written()
    {
        var system = shared.System;
        await using var letters = await system.ReadDeadLettersAsync("AlarmStatusChanged");
        (string Body, string Reason)[] bad =
        [
            (Body("bad", "x", "LOUD", "2026-01-01T00:00:00Z"), "Status must be one of CLEARED, WARNING, CRITICAL"),
            (Body("bad", "x", "WARNING", "yesterday"), "ChangedAt must be an ISO 8601 time"),
            (Body("bad", "x", "WARNING", "0001-01-01T00:00:00Z"), "ChangedAt must not be before 1970-01-01"),
            (Body("bad", "x", "WARNING", "9999-12-31T23:59:59.999999999Z"), "ChangedAt lies in the future"),
            ("""{"UserID":"bad","Status":"WARNING","ChangedAt":"2026-01-01T00:00:00Z"}""", "AlarmId is missing"),
            ("""{"AlarmID":"x","Status":"WARNING","ChangedAt":"2026-01-01T00:00:00Z"}""", "UserId is missing"),
            ("""{"AlarmID":"x","UserID":"bad","Status":"WARNING"}""", "ChangedAt is missing"),
            ("{", "not JSON"),
        ];
        var count = 0;
        foreach (var (body, reason) in bad)
        {
            await ChangeAsync("bad", $"good-{count++}", "WARNING", "2026-01-01T00:00:00Z");
            await system.PublishAsync("AlarmStatusChanged", body);
            var letter = await letters.NextAsync();
            Assert.Equal(body, letter.Body);
            Assert.Contains(reason, letter.Reason);
        }

        await WaitAsync("bad", count);
        Assert.True(letters.IsEmpty);
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM alarm WHERE alarm_id = 'x'"));
    }

    [Fact]
    public async Task Another_status_at_the_same_time_becomes_a_dead_letter()
    {
        var system = shared.System;
        await using var letters = await system.ReadDeadLettersAsync("AlarmStatusChanged");
        await ChangeAsync("conflict", "a", "WARNING", "2026-01-01T00:00:00Z");
        await WaitAsync("conflict", 1);

        await ChangeAsync("conflict", "a", "warning", "2026-01-01T01:00:00.000+01:00");
        await ChangeAsync("conflict", "a", "CLEARED", "2025-12-31T00:00:00Z");
        await ChangeAsync("conflict", "a", "CRITICAL", "2026-01-01T00:00:00Z");

        Assert.Contains("to another status than CRITICAL", (await letters.NextAsync()).Reason);
        await ChangeAsync("conflict", "b", "WARNING", "2026-01-01T00:00:00Z");
        await WaitAsync("conflict", 2);
        Assert.True(letters.IsEmpty);
        Assert.Equal(
            "WARNING",
            await system.QueryAsync<string>("SELECT status FROM alarm WHERE (user_id, alarm_id) = ('conflict', 'a')")
        );
    }

    private static string Body(string user, string alarm, string status, string at) =>
        $$"""{"AlarmID":"{{alarm}}","UserID":"{{user}}","Status":"{{status}}","ChangedAt":"{{at}}"}""";

    private Task ChangeAsync(string user, string alarm, string status, string at) =>
        shared.System.PublishAsync("AlarmStatusChanged", Body(user, alarm, status, at));

    private Task AskAsync(string user, string? messageId = null)
    {
        var properties = new BasicProperties { Persistent = true };
        if (messageId is not null)
            properties.MessageId = messageId;
        return shared.System.PublishAsync("SendAlarmDigest", $$"""{"UserID":"{{user}}"}""", properties);
    }

    private Task WaitAsync(string user, int alarms) =>
        shared.System.WaitForAsync($"SELECT count(*) FROM alarm WHERE user_id = '{user}'", (long)alarms);
}
