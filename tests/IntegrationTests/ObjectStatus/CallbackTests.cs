using System.Net;
using System.Text;
using RabbitMQ.Client;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.ObjectStatus;

public sealed class CallbackTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const string Key = "a-key-of-enough-characters";

    // For at most 10 identifiers in at most 1,024 bytes.
    private static readonly (string Body, HttpStatusCode Code, string Says)[] _invalid =
    [
        ("not json", HttpStatusCode.BadRequest, "not JSON"),
        ("", HttpStatusCode.BadRequest, "empty"),
        ("[1,2]", HttpStatusCode.BadRequest, "object"),
        ("""{"ids":[1]}""", HttpStatusCode.BadRequest, "no list"),
        ("""{"object_ids":1}""", HttpStatusCode.BadRequest, "no list"),
        ("""{"object_ids":null}""", HttpStatusCode.BadRequest, "no list"),
        ("""{"object_ids":[1,null]}""", HttpStatusCode.BadRequest, "whole numbers"),
        ("""{"object_ids":[1.5]}""", HttpStatusCode.BadRequest, "whole numbers"),
        ("""{"object_ids":[1e300]}""", HttpStatusCode.BadRequest, "whole numbers"),
        ("""{"object_ids":[{}]}""", HttpStatusCode.BadRequest, "whole numbers"),
        ("""{"object_ids":[" "]}""", HttpStatusCode.BadRequest, "empty"),
        ("""{"object_ids":["a\u0000b"]}""", HttpStatusCode.BadRequest, "control"),
        ("""{"object_ids":["\ud800"]}""", HttpStatusCode.BadRequest, "Unicode"),
        ("""{"object_ids":[1],"object_ids":[2]}""", HttpStatusCode.BadRequest, "more than once"),
        ($$"""{"object_ids":["{{new string('x', 129)}}"]}""", HttpStatusCode.BadRequest, "128"),
        ("""{"object_ids":[1,2,3,4,5,6,7,8,9,10,11]}""", HttpStatusCode.RequestEntityTooLarge, "10"),
        ($$"""{"object_ids":[1],"more":"{{new string('x', 1024)}}"}""", HttpStatusCode.RequestEntityTooLarge, "1,024"),
    ];

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task Every_posted_object_is_fetched_once_and_the_online_ones_are_seen()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:CacheDuration", "01:00:00"));
        await system.KeepSightingsAsync();

        using var response = await system.PostAsync("""{"sent_at":"now","object_ids":[2, 4, "4", 7, " lamp ", "ü/..?#", 2]}""");
        var answer = await response.Content.ReadAsStringAsync();
        await system.SeenAsync(4);
        await system.CalledAsync(5);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("""{"accepted":5}""", answer);
        Assert.Equal(["2", "4", "7", "lamp", "ü/..?#"], system.Api.Calls.Keys.Order(StringComparer.Ordinal));
        Assert.All(system.Api.Calls.Values, calls => Assert.Equal(1, calls));
        Assert.Equal(4, await system.SightingsAsync(4));
        Assert.Equal(
            "2,4,lamp,ü/..?#",
            await system.Host.QueryAsync<string>("SELECT string_agg(object_id, ',' ORDER BY object_id) FROM object_status")
        );
    }

    [Fact]
    public async Task An_invalid_callback_is_answered_with_the_reason_and_the_next_one_is_accepted()
    {
        await using var system = await ObjectStatusSystem.StartAsync(
            servers,
            ("ObjectStatus:MaxIds", "10"),
            ("ObjectStatus:MaxBodyBytes", "1024"),
            ("Roles", "callback")
        );
        foreach (var (body, code, says) in _invalid)
        {
            using var response = await system.PostAsync(body);
            Assert.True(code == response.StatusCode, $"{body}: {response.StatusCode}");
            Assert.Contains(says, (await ObjectStatusSystem.ProblemAsync(response)).GetProperty("detail").GetString());
        }

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostChunkedAsync(system.Callback));
        using var get = await system.SendAsync(HttpMethod.Get, system.Callback);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        Assert.Equal(["POST"], get.Content.Headers.Allow);
        await ObjectStatusSystem.ProblemAsync(get);

        Assert.Equal(0u, await system.Host.CountAsync("object-status-lists"));
        await system.AcceptAsync();
        Assert.Equal(0u, await system.Host.CountAsync("object-status-lists"));
        await system.AcceptAsync(1);
        await system.Host.WaitForCountAsync("object-status-lists", 1);
    }

    [Fact]
    public async Task The_callback_has_a_port_of_its_own_that_serves_nothing_else_and_a_key_if_one_is_set()
    {
        await using var system = await ObjectStatusSystem.StartAsync(
            servers,
            ("ObjectStatus:ApiKey", Key),
            ("Operations:ApiKey", Key)
        );
        Uri Other(string path) => new(system.Callback, path);

        using var without = await system.PostAsync("""{"object_ids":[1]}""");
        using var wrong = await system.PostAsync("""{"object_ids":[1]}""", Key + "s");
        using var right = await system.PostAsync("""{"object_ids":[1]}""", Key);
        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);

        using var elsewhere = await system.SendAsync(HttpMethod.Post, new Uri(system.Host.Http.BaseAddress!, "/callback"));
        using var operations = await system.SendAsync(HttpMethod.Post, Other("/operations/payments/p/revive"));
        using var overview = await system.SendAsync(HttpMethod.Get, Other("/operations/overview"));
        using var health = await system.SendAsync(HttpMethod.Get, Other("/health/ready"));
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, operations.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, overview.StatusCode);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task Without_a_queue_behind_the_exchange_a_callback_is_not_accepted()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("Roles", "callback"));
        await using var channel = await system.Host.OpenChannelAsync();
        await channel.QueueDeleteAsync("object-status-lists");

        using var response = await system.PostAsync("""{"object_ids":[1]}""");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    /// <summary>Posts too many bytes in chunks, without a content length.</summary>
    private static async Task<HttpStatusCode> PostChunkedAsync(Uri callback)
    {
        using var content = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(new string(' ', 5000))))
        {
            Headers = { ContentLength = null },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, callback)
        {
            Content = content,
            Headers = { TransferEncodingChunked = true },
        };
        using var client = new HttpClient();
        using var response = await client.SendAsync(request);
        return response.StatusCode;
    }
}
