using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sagas.Simulators;

namespace Sagas.HarnessTests.Simulators;

public sealed class ObjectStatusTests
{
    private const string NoLatency = "ObjectStatus:Faults:Latency:MaxMs";

    [Theory]
    [InlineData("1", """{"id":1,"online":false}""")]
    [InlineData("2", """{"id":2,"online":true}""")]
    [InlineData("-3", """{"id":-3,"online":false}""")]
    [InlineData("lamp", """{"id":"lamp","online":true}""")]
    [InlineData("007", """{"id":"007","online":true}""")]
    [InlineData("a%2Fb", """{"id":"a/b","online":true}""")]
    public async Task Odd_numbers_are_offline(string id, string answer)
    {
        await using var simulators = await RunningGateway.StartAsync((NoLatency, "0"), ("ObjectStatus:Faults:Latency:MinMs", "0"));

        Assert.Equal(answer, await simulators.Client.GetStringAsync(new Uri($"/object-status/objects/{id}", UriKind.Relative)));
    }

    [Fact]
    public async Task Every_answer_takes_its_time_and_is_counted()
    {
        await using var simulators = await RunningGateway.StartAsync((NoLatency, "400"));
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(1, 20).Select(id => simulators.Client.GetStringAsync($"/object-status/objects/{id}")));
        var took = watch.Elapsed;

        var summary = await simulators.Client.GetFromJsonAsync<JsonElement>("/object-status/summary");
        Assert.Equal(20, summary.GetProperty("requests").GetInt64());
        Assert.Equal(20, summary.GetProperty("objects").GetInt64());
        Assert.InRange(summary.GetProperty("mostInFlight").GetInt64(), 2, 20);
        Assert.InRange(summary.GetProperty("latencySeconds").GetDouble(), 20 * 0.3, 20 * 0.4);
        Assert.InRange(took, TimeSpan.FromMilliseconds(290), TimeSpan.FromSeconds(10));

        await simulators.Client.DeleteAsync(new Uri("/object-status", UriKind.Relative));
        Assert.Empty((await simulators.Client.GetFromJsonAsync<Dictionary<string, int>>("/object-status/answered"))!);
    }

    [Fact]
    public async Task It_fails_as_it_is_told()
    {
        await using var simulators = await RunningGateway.StartAsync();
        using var set = await simulators.Client.PutAsJsonAsync("/object-status/faults", new { failBefore = 1 });

        using var failed = await simulators.Client.GetAsync(new Uri("/object-status/objects/2", UriKind.Relative));
        Assert.InRange((int)failed.StatusCode, 500, 503);

        using var down = await simulators.Client.PostAsync(new Uri("/object-status/down?seconds=60", UriKind.Relative), null);
        using var away = await simulators.Client.GetAsync(new Uri("/object-status/objects/2", UriKind.Relative));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
    }

    [Fact]
    public async Task The_tester_posts_up_to_200_ids_below_100_again_and_again_and_knows_what_was_acknowledged()
    {
        var posts = new List<int[]>();
        await using var callback = WebApplication.CreateSlimBuilder().Build();
        callback.Urls.Add("http://127.0.0.1:0");
        callback.MapPost("/callback", (JsonElement body) =>
        {
            lock (posts)
                posts.Add([.. body.GetProperty("object_ids").EnumerateArray().Select(id => id.GetInt32())]);
            return posts.Count == 1 ? Results.StatusCode(503) : Results.Ok();
        });
        await callback.StartAsync();
        await using var simulators = await RunningGateway.StartAsync(
            ("ObjectStatus:CallbackUrl", callback.Urls.First() + "/callback"), ("ObjectStatus:PostInterval", "00:00:00.020"), ("Logging:LogLevel:Default", "None"));
        JsonElement summary;
        do
            summary = await simulators.Client.GetFromJsonAsync<JsonElement>("/object-status/summary");
        while (summary.GetProperty("posts").GetInt64() < 10);

        Assert.Equal(1, summary.GetProperty("refusedPosts").GetInt64());
        lock (posts)
        {
            Assert.All(posts, ids => Assert.InRange(ids.Length, 0, 200));
            Assert.All(posts.SelectMany(ids => ids), id => Assert.InRange(id, 0, 99));
            Assert.True(posts.Select(ids => ids.Length).Distinct().Count() > 1);
        }

        Assert.NotEmpty((await simulators.Client.GetFromJsonAsync<string[]>("/object-status/acknowledged"))!);
    }
}
