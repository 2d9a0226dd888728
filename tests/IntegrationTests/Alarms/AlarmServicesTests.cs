using System.Globalization;
using System.Text;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Contracts;
using Sagas.IntegrationTests.CommandLine;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>What the services do beyond a single digest: schedule, order, large digests, other processes, MassTransit.</summary>
public sealed class AlarmServicesTests(ServersFixture servers, SharedAlarms shared)
    : IClassFixture<ServersFixture>,
        IClassFixture<SharedAlarms>
{
    private static readonly DateTimeOffset _newYear = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Scheduled_digests_reach_each_user_with_changes_once_from_any_process()
    {
        (string, string?)[] scheduled = [("Roles", "alarms"), ("Alarms:DigestInterval", "00:00:01")];
        await using var system = await TestSystem.CreateAsync(servers, scheduled);
        await system.StartAsync();
        await using var second = system.AnotherProcess();
        await second.StartAsync();
        await using var digests = await DigestReader.StartAsync(system, "u");
        for (var user = 0; user < 120; user++)
            await PublishAsync(system, $"u{user}", "a", user % 2 == 0 ? "WARNING" : "CLEARED");
        var sent = new List<string>();
        while (sent.Count < 60)
            sent.Add((await digests.NextAsync()).UserId);
        Assert.Equal(60, sent.Distinct().Count());
        Assert.DoesNotContain(sent, user => int.Parse(user[1..], CultureInfo.InvariantCulture) % 2 == 1);

        // Three more runs, with nothing to send.
        var after = await system.QueryAsync<DateTime>("SELECT last_run_at + interval '3 seconds' FROM alarm_digest_schedule");
        await system.WaitForAsync($"SELECT count(*) FROM alarm_digest_schedule WHERE last_run_at >= '{after:O}'", 1L);
        Assert.True(digests.IsEmpty);
        Assert.Equal(60L, await system.QueryAsync<long>("SELECT count(*) FROM alarm_digest"));
    }

    [Fact]
    public async Task Without_a_schedule_no_digest_is_sent_unrequested()
    {
        var system = shared.System;
        await PublishAsync(system, "unasked", "a", "WARNING");
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE user_id = 'unasked'", 1L);
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM alarm_digest_schedule"));
    }

    [Fact]
    public async Task A_digest_waits_until_the_users_earlier_one_is_sent_and_other_users_do_not()
    {
        var system = shared.System;
        await using var digests = await DigestReader.StartAsync(system, "waits-");
        await PublishAsync(system, "waits-u", "a", "WARNING");
        await PublishAsync(system, "waits-v", "a", "WARNING");
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE user_id LIKE 'waits-%'", 2L);
        // The rows of a process that committed a digest and died before it sent it, with a heartbeat still valid.
        await system.ExecuteAsync(
            $"""
            INSERT INTO outbox_instance (outbox_id, host_name, process_id, heartbeat_at)
            VALUES ('{Guid.Empty}', 'gone', 1, now() + interval '1 hour')
            """
        );
        await system.ExecuteAsync(
            $"""
            INSERT INTO outbox_message (message_id, outbox_id, batch_id, correlation_id, destination_address, message_type,
                                        content_type, body)
            VALUES (gen_random_uuid(), '{Guid.Empty}', gen_random_uuid(), '{SagaIdentity.AlarmUser("waits-u")}',
                    'exchange:AlarmDigest', 'urn:message:Sagas.Contracts:AlarmDigest', 'application/json',
                    '{"{\"UserID\":\"waits-u\",\"ActiveAlarms\":[]}"}')
            """
        );
        await system.PublishAsync("SendAlarmDigest", """{"UserID":"waits-u"}""");
        await system.PublishAsync("SendAlarmDigest", """{"UserID":"waits-v"}""");
        Assert.Equal("waits-v", (await digests.NextAsync()).UserId);
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM alarm_digest WHERE user_id = 'waits-u'"));
        await system.ExecuteAsync("DELETE FROM outbox_instance WHERE host_name = 'gone'");
        var (earlier, later) = (await digests.NextAsync(), await digests.NextAsync());
        Assert.Equal(("waits-u", 0), (earlier.UserId, earlier.Alarms.Count));
        Assert.Equal(("waits-u", 1), (later.UserId, later.Alarms.Count));
    }

    [Fact]
    public async Task A_user_with_very_many_alarms_gets_several_digests_in_order()
    {
        var system = shared.System;
        await using var digests = await DigestReader.StartAsync(system, "many");
        await using (var channel = await system.OpenChannelAsync())
        {
            await Task.WhenAll(
                Enumerable
                    .Range(1, 5001)
                    .Select(number =>
                        channel
                            .BasicPublishAsync(
                                "AlarmStatusChanged",
                                "",
                                true,
                                new BasicProperties(),
                                Body("many", $"{number:00000}", "WARNING", DateTimeOffset.UnixEpoch.AddSeconds(number))
                            )
                            .AsTask()
                    )
            );
        }

        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE user_id = 'many'", 5001L);
        await system.PublishAsync("SendAlarmDigest", """{"UserID":"many"}""");
        var (first, second) = (await digests.NextAsync(), await digests.NextAsync());
        Assert.Equal(5000, first.Alarms.Count);
        Assert.Equal("00001 WARNING 1970-01-01T00:00:01Z", first.Alarms[0]);
        Assert.Equal(["05001 WARNING 1970-01-01T01:23:21Z"], second.Alarms);
    }

    [Fact]
    public async Task A_change_that_the_database_rejects_does_not_fail_the_rest_of_its_batch()
    {
        var system = shared.System;
        await system.ExecuteAsync("ALTER TABLE alarm ADD CHECK (alarm_id <> 'poison')");
        var letters = await system.ReadDeadLettersAsync("AlarmStatusChanged");
        await using var channel = await system.OpenChannelAsync();
        await Task.WhenAll(
            Enumerable
                .Range(0, 300)
                .Select(number =>
                    channel
                        .BasicPublishAsync(
                            "AlarmStatusChanged",
                            "",
                            true,
                            new BasicProperties(),
                            Body("poisoned", number == 150 ? "poison" : $"a{number}", "WARNING")
                        )
                        .AsTask()
                )
        );
        Assert.Contains("poison", (await letters.NextAsync()).Body);
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE user_id = 'poisoned'", 299L);
        Assert.True(letters.IsEmpty);
    }

    [Fact]
    public async Task A_service_that_uses_MassTransit_publishes_alarms_and_reads_digests()
    {
        var system = shared.System;
        var received = new TaskCompletionSource<AlarmDigest>();
        var bus = Bus.Factory.CreateUsingRabbitMq(configurator =>
        {
            configurator.Host(new Uri(system.Settings["RabbitMq:Uri"]!));
            configurator.Message<AlarmStatusChanged>(message => message.SetEntityName("AlarmStatusChanged"));
            configurator.Message<SendAlarmDigest>(message => message.SetEntityName("SendAlarmDigest"));
            configurator.Message<AlarmDigest>(message => message.SetEntityName("AlarmDigest"));
            configurator.ReceiveEndpoint(
                "reader",
                endpoint =>
                    endpoint.Handler<AlarmDigest>(context =>
                    {
                        if (context.Message.UserId == "masstransit")
                            received.TrySetResult(context.Message);
                        return Task.CompletedTask;
                    })
            );
        });
        await bus.StartAsync(Eventually.Cancellation());
        var at = Instant.Parse("2021-06-07T20:40:15.598765212Z");
        await bus.Publish(new AlarmStatusChanged("a", "masstransit", AlarmStatus.Critical, at));
        await system.WaitForAsync("SELECT count(*) FROM alarm WHERE user_id = 'masstransit'", 1L);
        await bus.Publish(new SendAlarmDigest("masstransit"));
        var digest = await received.Task.WaitAsync(Eventually.Timeout);
        await bus.StopAsync();
        Assert.Equal("masstransit", digest.UserId);
        Assert.Equal([new ActiveAlarm("a", "CRITICAL", at)], digest.ActiveAlarms);
        await system.WaitForCountAsync("AlarmStatusChanged", 0);
    }

    [Fact]
    public async Task The_digest_queue_exists_before_the_first_digest_unless_it_is_disabled()
    {
        await using var others = await StartAsync(("Roles", "payments"));
        Assert.Equal(0u, await others.CountAsync("AlarmDigest"));
        await using var without = await StartAsync(("Alarms:DigestQueue", "false"));
        await Assert.ThrowsAsync<OperationInterruptedException>(() => without.CountAsync("AlarmDigest"));
        await PublishAsync(without, "u", "a", "WARNING");
        await without.WaitForAsync("SELECT count(*) FROM alarm", 1L);
        await without.PublishAsync("SendAlarmDigest", """{"UserID":"u"}""");
        await without.WaitForAsync("SELECT count(*) FROM alarm_digest", 1L);
        await without.WaitForAsync("SELECT count(*) FROM outbox_message", 0L);
    }

    [Fact]
    public async Task Without_a_broker_digests_are_sent_on_the_in_memory_bus()
    {
        await using var system = await StartAsync(("Bus:Transport", "InMemory"));
        var bus = system.Services.GetRequiredService<IBus>();
        await bus.Publish(new AlarmStatusChanged("a", "u", "WARNING", DateTimeOffset.UtcNow));
        await system.WaitForAsync("SELECT count(*) FROM alarm", 1L);
        await bus.Publish(new SendAlarmDigest("u"));
        await system.WaitForAsync("SELECT count(*) FROM alarm_digest", 1L);
        await system.WaitForAsync("SELECT count(*) FROM outbox_message", 0L);
    }

    [Fact]
    public async Task The_command_line_publishes_alarms_requests_digests_and_lists_both()
    {
        var system = shared.System;
        var sagas = new CommandLineRunner(
            system.Settings["ConnectionStrings:Postgres"]!,
            new Uri(system.Settings["RabbitMq:Uri"]!)
        );
        Assert.Contains("User ada has no alarms", (await sagas.RunAsync("alarms", "list", "ada")).Output);
        Assert.Contains("No digests were sent to user ada", (await sagas.RunAsync("digests", "list", "ada")).Output);
        await sagas.JsonAsync("alarms", "publish", "ada", "boiler", "critical", "--at", "2021-06-07T20:40:15.598765212Z");
        await sagas.JsonAsync("alarms", "publish", "ada", "door", "CLEARED");
        var alarms = await sagas.JsonWhenAsync(list => list.GetArrayLength() == 2, "alarms", "list", "ada");
        Assert.Equal("boiler", alarms[0].GetProperty("alarmId").GetString());
        Assert.Equal("2021-06-07T20:40:15.598765212Z", alarms[0].GetProperty("changedAt").GetString());
        Assert.True(alarms[0].GetProperty("toTell").GetBoolean());
        Assert.Equal(1, (await sagas.JsonAsync("alarms", "list", "ada", "--status", "cleared")).GetArrayLength());
        await sagas.JsonAsync("digests", "send", "ada");
        var digests = await sagas.JsonWhenAsync(list => list.GetArrayLength() == 1, "digests", "list", "ada");
        Assert.Equal("boiler", digests[0].GetProperty("alarms")[0].GetProperty("AlarmID").GetString());
        var listed = await sagas.RunAsync("digests", "list", "ada");
        Assert.Contains("boiler CRITICAL 2021-06-07T20:40:15.598765212Z", listed.Output);
        Assert.False((await sagas.JsonAsync("alarms", "list", "ada"))[0].GetProperty("toTell").GetBoolean());
    }

    private static byte[] Body(string user, string alarm, string status, DateTimeOffset? at = null) =>
        Encoding.UTF8.GetBytes(
            $$"""
            {"AlarmID":"{{alarm}}","UserID":"{{user}}","Status":"{{status}}","ChangedAt":"{{at
                ?? _newYear:yyyy-MM-ddTHH:mm:ssZ}}"}
            """
        );

    private static Task PublishAsync(TestSystem system, string user, string alarm, string status) =>
        system.PublishAsync("AlarmStatusChanged", "", Body(user, alarm, status));

    private async Task<TestSystem> StartAsync(params (string, string?)[] settings)
    {
        var system = await TestSystem.CreateAsync(servers, [("Roles", "alarms"), .. settings]);
        await system.StartAsync();
        return system;
    }
}
