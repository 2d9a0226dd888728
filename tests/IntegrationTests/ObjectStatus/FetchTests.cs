using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sagas.IntegrationTests.Host;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.IntegrationTests.ObjectStatus;

[Collection(nameof(KillableServers))]
public sealed class FetchTests(KillableServers servers)
{
    [Fact]
    public async Task A_burst_of_one_object_costs_one_call_and_so_does_what_comes_while_its_answer_is_fresh()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:Freshness", "01:00:00"));
        var answer = new TaskCompletionSource();
        system.Api.Before = _ => answer.Task;

        for (var post = 0; post < 50; post++)
            await system.AcceptAsync("same", $"other-{post}");
        await system.CalledAsync(51);
        answer.SetResult();
        await system.SeenAsync(51);
        await system.AcceptAsync("same");
        await system.AcceptAsync("last");
        await system.SeenAsync(52);
        await system.Host.WaitForCountAsync("object-status", 0);
        Assert.Equal(1, system.Api.Calls["same"]);
    }

    [Fact]
    public async Task A_stale_answer_costs_another_call()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:Freshness", "00:00:00.200"));

        for (var watch = Stopwatch.StartNew(); system.Api.CallCount < 3; await Task.Delay(TimeSpan.FromMilliseconds(20)))
        {
            Assert.True(watch.Elapsed < Eventually.Timeout, "The first answer serves for ever.");
            await system.AcceptAsync("same");
        }
    }

    [Fact]
    public async Task Two_thousand_calls_wait_at_once_without_a_thread_each_and_never_more_than_are_allowed()
    {
        // Where the broker confirms late, ids come in twice: a fresh answer serves for both, so the count of calls is exact.
        await using var system = await ObjectStatusSystem.StartAsync(
            servers, ("ObjectStatus:InFlight", "2000"), ("ObjectStatus:Freshness", "01:00:00"));
        var answer = new TaskCompletionSource();
        system.Api.Before = _ => answer.Task;

        foreach (var post in Enumerable.Range(1, 5000).Chunk(1000))
            await system.AcceptAsync(post.Select(number => $"o-{number}"));
        await Until(() => system.Api.MostInFlight == 2000);
        // Of all that this process does, the tests beside this one among it.
        Assert.InRange(ThreadPool.ThreadCount, 1, 500);

        answer.SetResult();
        await system.SeenAsync(5000);
        Assert.Equal(5000, system.Api.CallCount);
        Assert.Equal(2000, system.Api.MostInFlight);
    }

    [Fact]
    public async Task While_the_API_is_down_messages_wait_it_is_left_alone_and_then_all_are_fetched()
    {
        await using var system = await ObjectStatusSystem.StartAsync(
            servers, ("ObjectStatus:RetryDelay", "00:00:00.050"), ("ObjectStatus:Hold", "00:00:02"),
            ("ObjectStatus:RedeliveryDelay", "00:00:01"), ("ObjectStatus:RedeliveryCap", "00:00:05"));
        var letters = await system.Host.ReadDeadLettersAsync("object-status");
        var down = true;
        system.Api.Code = (_, _) => Volatile.Read(ref down) ? 500 : 200;

        await system.AcceptAsync(Enumerable.Range(1, 500).Select(number => $"o-{number}"));
        // Some are held, and in time all are put off: their messages are in the outbox, due later.
        await system.Host.WaitForAsync("SELECT count(*) > 50 FROM outbox_message WHERE message_type LIKE '%ObjectStatusRequested%' AND enqueue_time > now()", true);
        Assert.InRange(system.Api.CallCount, 20, 600);

        Volatile.Write(ref down, false);
        await system.SeenAsync(500);
        await system.Host.WaitForAsync("SELECT count(*) FROM outbox_message WHERE message_type LIKE '%ObjectStatusRequested%'", 0L);
        Assert.True(letters.IsEmpty);
    }

    [Fact]
    public async Task An_object_that_fails_for_itself_is_tried_again_and_later_and_one_that_is_refused_is_a_dead_letter()
    {
        await using var system = await ObjectStatusSystem.StartAsync(
            servers, ("ObjectStatus:RetryDelay", "00:00:00.010"), ("ObjectStatus:RedeliveryDelay", "00:00:00.100"),
            ("ObjectStatus:Freshness", "01:00:00"));
        var letters = await system.Host.ReadDeadLettersAsync("object-status");
        system.Api.Code = (id, call) => (id, call) switch
        {
            ("refused", _) => 422,
            ("gone", _) => 404,
            // Three attempts for each of two deliveries.
            ("moody", <= 6) => 503,
            _ => 200,
        };

        await system.AcceptAsync("moody", "refused", "gone", "well");
        await system.SeenAsync(2);
        await Until(() => system.Api.Calls.ContainsKey("gone"));

        Assert.Equal(7, system.Api.Calls["moody"]);
        Assert.Equal(1, system.Api.Calls["gone"]);
        var letter = await letters.NextAsync();
        Assert.Contains("refused", letter.Body);
        Assert.Contains("422", letter.Reason);
        Assert.Equal("moody,well", await system.Host.QueryAsync<string>("SELECT string_agg(object_id, ',' ORDER BY object_id) FROM object_status"));
    }

    [PrivateServersFact]
    public async Task An_answer_that_cannot_be_committed_is_kept_until_it_can_and_told_then()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:Freshness", "01:00:00"));
        await system.KeepSightingsAsync();
        await system.AcceptAsync("warm");
        await system.SeenAsync(1);
        var answer = new TaskCompletionSource();
        system.Api.Before = _ => answer.Task;
        await system.AcceptAsync("a", "b", "c");
        await system.CalledAsync(4);

        await servers.Postgres.KillAsync();
        answer.SetResult();
        await servers.Postgres.StartAgainAsync();

        await system.SeenAsync(4);
        Assert.Equal(4, await system.SightingsAsync(4));
        Assert.Equal(4, system.Api.CallCount);
    }

    [Fact]
    public async Task A_stop_lets_calls_in_flight_end_and_gives_back_the_messages_that_wait()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:InFlight", "4"));
        var letters = await system.Host.ReadDeadLettersAsync("object-status");
        var answer = new TaskCompletionSource();
        system.Api.Before = _ => answer.Task;
        await system.AcceptAsync(Enumerable.Range(1, 200).Select(number => $"o-{number}"));
        await system.CalledAsync(4);

        var isStopping = system.Host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var stopping = system.Host.StopAsync();
        await Until(() => isStopping.IsCancellationRequested);
        answer.SetResult();
        await stopping.WaitAsync(Eventually.Timeout);

        // Whoever got the place of a call that ended before the word was passed on was still called.
        Assert.InRange(system.Api.CallCount, 4, 40);
        Assert.Equal(system.Api.CallCount, await system.Host.QueryAsync<long>("SELECT count(*) FROM object_status"));
        await system.Host.StartAsync();
        await system.SeenAsync(200);
        Assert.True(letters.IsEmpty);
    }

    [Fact]
    public async Task Answers_that_come_late_move_nothing_back_and_bring_nothing_back()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:Expiry", "01:00:00"), ("ObjectStatus:SweepInterval", "01:00:00"));
        var writer = system.Host.Services.GetRequiredService<LastSeenWriter>();
        // As exact as the database is.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        async Task<TimeSpan> BackAsync(string id) =>
            now - await system.Host.QueryAsync<DateTime>($"SELECT last_seen FROM object_status WHERE object_id = '{id}'");

        await Task.WhenAll(writer.WriteAsync("x", now - TimeSpan.FromSeconds(5)), writer.WriteAsync("x", now - TimeSpan.FromSeconds(9)));
        Assert.Equal(TimeSpan.FromSeconds(5), await BackAsync("x"));
        await writer.WriteAsync("x", now - TimeSpan.FromSeconds(12));
        Assert.Equal(TimeSpan.FromSeconds(5), await BackAsync("x"));
        await writer.WriteAsync("x", now);
        Assert.Equal(TimeSpan.Zero, await BackAsync("x"));

        await writer.WriteAsync("old", now - TimeSpan.FromMinutes(61));
        await writer.WriteAsync("ahead", now + TimeSpan.FromHours(1));
        Assert.Equal(0L, await system.Host.QueryAsync<long>("SELECT count(*) FROM object_status WHERE object_id = 'old'"));
        Assert.True(await system.Host.QueryAsync<bool>("SELECT last_seen <= clock_timestamp() FROM object_status WHERE object_id = 'ahead'"));
    }

    [Fact]
    public async Task Two_processes_that_see_the_same_objects_do_not_wait_for_each_other_for_ever()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers);
        var one = system.Host.Services.GetRequiredService<LastSeenWriter>();
        await using var other = ActivatorUtilities.CreateInstance<LastSeenWriter>(system.Host.Services);
        var ids = Enumerable.Range(1, 300).Select(number => $"o-{number}").ToArray();

        for (var round = 0; round < 20; round++)
        {
            Random.Shared.Shuffle(ids);
            var first = ids.Select(id => one.WriteAsync(id, DateTimeOffset.UtcNow)).ToArray();
            var second = ids.Reverse().Select(id => other.WriteAsync(id, DateTimeOffset.UtcNow)).ToArray();
            await Task.WhenAll([.. first, .. second]).WaitAsync(Eventually.Timeout);
        }

        Assert.Equal(0L, await system.Host.QueryAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
        Assert.Equal(300L, await system.Host.QueryAsync<long>("SELECT count(*) FROM object_status"));
    }

    private static async Task Until(Func<bool> holds)
    {
        for (var watch = Stopwatch.StartNew(); !holds() && watch.Elapsed < Eventually.Timeout;)
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        Assert.True(holds());
    }
}
