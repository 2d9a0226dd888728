using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.ObjectStatus;

public sealed class FetchTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_burst_of_one_object_costs_one_call_and_another_request_with_a_fresh_answer_costs_none()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:CacheDuration", "01:00:00"));
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
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:CacheDuration", "00:00:00.200"));

        await Eventually.MatchesAsync(
            "three calls for one object",
            async () =>
            {
                await system.AcceptAsync("same");
                return system.Api.CallCount;
            },
            calls => calls >= 3
        );
    }

    [Fact]
    public async Task Two_thousand_calls_wait_at_once_without_a_thread_each_and_the_limit_holds()
    {
        // If the broker confirms late, ids are posted twice: a fresh answer serves both, so the count of calls is exact.
        await using var system = await ObjectStatusSystem.StartAsync(
            servers,
            ("ObjectStatus:MaxConcurrency", "2000"),
            ("ObjectStatus:CacheDuration", "01:00:00")
        );
        var answer = new TaskCompletionSource();
        system.Api.Before = _ => answer.Task;

        foreach (var post in Enumerable.Range(1, 2500).Chunk(500))
            await system.AcceptAsync(post.Select(number => $"o-{number}"));
        await Eventually.EqualAsync(2000, () => system.Api.MostInFlight);
        // The threads of the whole process, including tests that run in parallel.
        Assert.InRange(ThreadPool.ThreadCount, 1, 500);

        answer.SetResult();
        await system.SeenAsync(2500);
        Assert.Equal(2500, system.Api.CallCount);
        Assert.Equal(2000, system.Api.MostInFlight);
    }

    [Fact]
    public async Task While_the_API_is_down_messages_wait_with_few_calls_and_all_are_fetched_afterwards()
    {
        await using var system = await ObjectStatusSystem.StartAsync(
            servers,
            ("ObjectStatus:RetryDelay", "00:00:00.050"),
            ("ObjectStatus:MaxHold", "00:00:02"),
            ("ObjectStatus:RedeliveryDelay", "00:00:01"),
            ("ObjectStatus:MaxRedeliveryDelay", "00:00:05")
        );
        var letters = await system.Host.ReadDeadLettersAsync("object-status");
        var down = true;
        system.Api.Code = (_, _) => Volatile.Read(ref down) ? 500 : 200;

        await system.AcceptAsync(Enumerable.Range(1, 500).Select(number => $"o-{number}"));
        // Some are held, and eventually all are postponed: their messages are in the outbox, due later.
        await system.Host.WaitForAsync(
            "SELECT count(*) > 50 FROM outbox_message WHERE message_type LIKE '%ObjectStatusRequested%' AND enqueue_time > now()",
            true
        );
        Assert.InRange(system.Api.CallCount, 20, 600);

        Volatile.Write(ref down, false);
        await system.SeenAsync(500);
        await system.Host.WaitForAsync(
            "SELECT count(*) FROM outbox_message WHERE message_type LIKE '%ObjectStatusRequested%'",
            0L
        );
        Assert.True(letters.IsEmpty);
    }

    [Fact]
    public async Task An_object_that_fails_alone_is_retried_and_redelivered_and_a_rejected_one_is_a_dead_letter()
    {
        await using var system = await ObjectStatusSystem.StartAsync(
            servers,
            ("ObjectStatus:RetryDelay", "00:00:00.010"),
            ("ObjectStatus:RedeliveryDelay", "00:00:00.100"),
            ("ObjectStatus:CacheDuration", "01:00:00")
        );
        var letters = await system.Host.ReadDeadLettersAsync("object-status");
        system.Api.Code = (id, call) =>
            (id, call) switch
            {
                ("rejected", _) => 422,
                ("gone", _) => 404,
                // Three attempts for each of two deliveries.
                ("moody", <= 6) => 503,
                _ => 200,
            };

        await system.AcceptAsync("moody", "rejected", "gone", "well");
        await system.SeenAsync(2);
        await Eventually.TrueAsync("a call for the missing object", () => system.Api.Calls.ContainsKey("gone"));

        Assert.Equal(7, system.Api.Calls["moody"]);
        Assert.Equal(1, system.Api.Calls["gone"]);
        var letter = await letters.NextAsync();
        Assert.Contains("rejected", letter.Body);
        Assert.Contains("422", letter.Reason);
        Assert.Equal(
            "moody,well",
            await system.Host.QueryAsync<string>("SELECT string_agg(object_id, ',' ORDER BY object_id) FROM object_status")
        );
    }

    [Fact]
    public async Task A_stop_finishes_calls_in_flight_and_returns_waiting_messages_to_the_queue()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:MaxConcurrency", "4"));
        var letters = await system.Host.ReadDeadLettersAsync("object-status");
        var answer = new TaskCompletionSource();
        system.Api.Before = _ => answer.Task;
        await system.AcceptAsync(Enumerable.Range(1, 200).Select(number => $"o-{number}"));
        await system.CalledAsync(4);

        var isStopping = system.Host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var stopping = system.Host.StopAsync();
        await Eventually.TrueAsync("the beginning of the stop", () => isStopping.IsCancellationRequested);
        answer.SetResult();
        await stopping.WaitAsync(Eventually.Timeout);

        // A message that got the permit of a finished call before the stop reached it is still fetched.
        Assert.InRange(system.Api.CallCount, 4, 40);
        Assert.Equal(system.Api.CallCount, await system.Host.QueryAsync<long>("SELECT count(*) FROM object_status"));
        await system.Host.StartAsync();
        await system.SeenAsync(200);
        Assert.True(letters.IsEmpty);
    }
}
