using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Sagas.UnitTests.Simulators;

public sealed class ObjectStatusTests(SharedSimulators shared) : IClassFixture<SharedSimulators>
{
    [Theory]
    [InlineData("1", """{"id":1,"online":false}""")]
    [InlineData("2", """{"id":2,"online":true}""")]
    [InlineData("-3", """{"id":-3,"online":false}""")]
    [InlineData("lamp", """{"id":"lamp","online":true}""")]
    [InlineData("007", """{"id":"007","online":true}""")]
    [InlineData("a%2Fb", """{"id":"a/b","online":true}""")]
    public async Task Odd_numbers_are_offline(string id, string answer)
    {
        var simulators = await shared.CleanAsync();

        Assert.Equal(answer, await simulators.Client.GetStringAsync(new Uri($"/object-status/objects/{id}", UriKind.Relative)));
    }

    [Fact]
    public async Task Every_answer_is_delayed_and_counted()
    {
        var timeProvider = new TimerCountingTimeProvider();
        await using var simulators = await RunningGateway.StartAsync(timeProvider, ("ObjectStatus:Faults:Latency:MaxMs", "400"));
        var started = timeProvider.GetTimestamp();
        var asked = Task.WhenAll(
            Enumerable.Range(1, 20).Select(id => simulators.Client.GetStringAsync($"/object-status/objects/{id}"))
        );
        await timeProvider.TimersMadeAsync(20);
        timeProvider.Advance(TimeSpan.FromMilliseconds(290));
        Assert.Empty((await simulators.Client.GetFromJsonAsync<Dictionary<string, int>>("/object-status/answered"))!);
        await timeProvider.AdvanceUntilAsync("all are answered", () => asked.IsCompleted, TimeSpan.FromMilliseconds(10));
        await asked;
        Assert.True(timeProvider.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(300));

        var summary = await simulators.Client.GetFromJsonAsync<JsonElement>("/object-status/summary");
        Assert.Equal(20, summary.GetProperty("requests").GetInt64());
        Assert.Equal(20, summary.GetProperty("objects").GetInt64());
        Assert.Equal(20, summary.GetProperty("mostInFlight").GetInt64());
        Assert.InRange(summary.GetProperty("latencySeconds").GetDouble(), 20 * 0.3, 20 * 0.4);

        await simulators.Client.DeleteAsync(new Uri("/object-status", UriKind.Relative));
        Assert.Empty((await simulators.Client.GetFromJsonAsync<Dictionary<string, int>>("/object-status/answered"))!);
    }

    [Fact]
    public async Task It_fails_as_configured()
    {
        var simulators = await shared.CleanAsync();
        using var set = await simulators.Client.PutAsJsonAsync("/object-status/faults", new { failBefore = 1 });

        using var failed = await simulators.Client.GetAsync(new Uri("/object-status/objects/2", UriKind.Relative));
        Assert.InRange((int)failed.StatusCode, 500, 503);

        using var down = await simulators.Client.PostAsync(new Uri("/object-status/down?seconds=3600", UriKind.Relative), null);
        using var unavailable = await simulators.Client.GetAsync(new Uri("/object-status/objects/2", UriKind.Relative));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, unavailable.StatusCode);
    }

    [Fact]
    public async Task The_tester_posts_up_to_200_ids_below_100_repeatedly_and_records_the_acknowledged_ones()
    {
        var posts = new List<int[]>();
        await using var callback = WebApplication.CreateSlimBuilder().Build();
        callback.Urls.Add("http://127.0.0.1:0");
        callback.MapPost(
            "/callback",
            (JsonElement body) =>
            {
                lock (posts)
                {
                    posts.Add([.. body.GetProperty("object_ids").EnumerateArray().Select(id => id.GetInt32())]);
                    return posts.Count == 1 ? Results.StatusCode(503) : Results.Ok();
                }
            }
        );
        await callback.StartAsync();
        await using var simulators = await RunningGateway.StartAsync(
            ("ObjectStatus:CallbackUrl", callback.Urls.First() + "/callback"),
            ("ObjectStatus:PostInterval", "00:00:00.020"),
            ("Logging:LogLevel:Default", "None")
        );
        var summary = await Eventually.MatchesAsync(
            "ten posts are accepted",
            () => simulators.Client.GetFromJsonAsync<JsonElement>("/object-status/summary"),
            seen => seen.GetProperty("posts").GetInt64() - seen.GetProperty("rejectedPosts").GetInt64() >= 10
        );

        // The rejected one, and on a busy machine those not answered within the client's second.
        Assert.True(summary.GetProperty("rejectedPosts").GetInt64() >= 1);
        lock (posts)
        {
            Assert.All(posts, ids => Assert.InRange(ids.Length, 0, 200));
            Assert.All(posts.SelectMany(ids => ids), id => Assert.InRange(id, 0, 99));
            Assert.True(posts.Select(ids => ids.Length).Distinct().Count() > 1);
        }

        Assert.NotEmpty((await simulators.Client.GetFromJsonAsync<string[]>("/object-status/acknowledged"))!);
    }
}
