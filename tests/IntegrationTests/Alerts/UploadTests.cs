using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Files uploaded and alerts retried over HTTP.</summary>
public sealed class UploadTests(ServersFixture servers, UploadTests.Shared shared)
    : IClassFixture<ServersFixture>,
        IClassFixture<UploadTests.Shared>
{
    private static readonly object _unlimited = new { perSecond = 0 };

    [Fact]
    public async Task A_file_uploaded_twice_alerts_its_users_once()
    {
        var system = shared.System;

        var (status, accepted) = await UploadAsync(
            system,
            "../../users.csv",
            "userId,alertMessage\nonce-125,Order has been placed\n"
        );
        Assert.Equal((HttpStatusCode.Accepted, "users.csv"), (status, accepted.GetProperty("name").GetString()));
        var file = accepted.GetProperty("id").GetGuid();
        await system.WaitForStateAsync("delivered", 1, "user_id = 'once-125'");
        var completed = await Eventually.MatchesAsync(
            "the upload is completed",
            () => system.Services.Http.GetFromJsonAsync<JsonElement>($"/files/alerts/{file}"),
            each => each.GetProperty("state").GetString() == "completed"
        );
        Assert.Equal(
            "1 1 0",
            $"{completed.GetProperty("rows")} {completed.GetProperty("added")} {completed.GetProperty("rejected")}"
        );
        var (again, known) = await UploadAsync(system, "other.csv", "userId,alertMessage\nonce-125,Order has been placed\n");

        Assert.Equal((HttpStatusCode.OK, "completed"), (again, known.GetProperty("state").GetString()));
        Assert.Equal(file, known.GetProperty("id").GetGuid());
        Assert.Equal(
            file,
            await system.Services.QueryAsync<Guid>("SELECT file_id FROM alert_delivery WHERE user_id = 'once-125'")
        );
        Assert.Single(await system.RecordsOfAsync("once-"));
    }

    [Fact]
    public async Task An_upload_without_a_file_or_too_large_is_answered_with_the_reason()
    {
        var system = shared.System;

        var (large, _) = await UploadAsync(system, "large.csv", new string('x', 1001));
        var (empty, _) = await UploadAsync(system, "empty.csv", "");
        using var form = new MultipartFormDataContent { { new StringContent("x"), "comment" } };
        using var none = await system.Services.Http.PostAsync("/files/alerts", form);

        Assert.Equal(
            (HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.BadRequest, HttpStatusCode.BadRequest),
            (large, empty, none.StatusCode)
        );
        Assert.Equal("application/problem+json", none.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            0,
            await system.Services.QueryAsync<long>("SELECT count(*) FROM file WHERE name LIKE 'large%' OR name LIKE 'empty%'")
        );
        // Other tests' files are removed too, once they are read.
        await Eventually.EqualAsync(0, () => Directory.GetFiles(system.UploadFolder).Length);
    }

    [Fact]
    public async Task An_upload_needs_no_watched_folder()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited, ("Alerts:Folder", null));

        var (status, _) = await UploadAsync(system, "users.csv", "125,x\n");

        Assert.Equal(HttpStatusCode.Accepted, status);
        await system.WaitForStateAsync("delivered", 1, "user_id = '125'");
    }

    [Fact]
    public async Task Retrying_can_be_limited_to_a_file_or_an_alert()
    {
        var system = shared.System;
        await system.BehaveAsync(new { perSecond = 0, answer = 500 });
        var (_, file) = await UploadAsync(system, "parked.csv", "parked-125,x\nparked-126,y\n");
        await system.SendAsync("a1", "parked-127", "z");
        await system.SendAsync("a2", "parked-128", "z");
        await system.WaitForStateAsync("parked", 4, "user_id LIKE 'parked-%'");
        await system.BehaveAsync(_unlimited);

        Assert.Equal(1, await RetryAsync(system, "/retry?id=a1"));
        Assert.Equal(2, await RetryAsync(system, $"/retry?file={file.GetProperty("id").GetString()}"));
        await system.WaitForStateAsync("delivered", 3, "user_id LIKE 'parked-%'");
        using var odd = await system.Services.Http.GetAsync("/retry?file=nonsense");

        Assert.Equal(HttpStatusCode.BadRequest, odd.StatusCode);
        Assert.Equal(
            "a2",
            await system.Services.QueryAsync<string>("SELECT alert_id FROM alert_delivery WHERE state = 'parked'")
        );
    }

    [Fact]
    public async Task Retrying_an_unknown_alert_or_file_changes_nothing()
    {
        await using var system = await AlertSystem.StartAsync(servers, new { perSecond = 0, answer = 410 });
        await system.SendAsync("a1", "127", "z");
        await system.WaitForStateAsync("parked", 1);
        var none = Guid.NewGuid();

        foreach (var query in new[] { "id=nobody", "id=", $"file={none}", $"id=a1&file={none}" })
        {
            using var get = await system.Services.Http.GetAsync($"/retry?{query}");
            using var post = await system.Services.Http.PostAsync($"/retry?{query}", null);
            Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (get.StatusCode, post.StatusCode));
            Assert.Equal("application/problem+json", post.Content.Headers.ContentType?.MediaType);
        }

        Assert.True(await system.Services.QueryAsync<bool>("SELECT disabled_at IS NOT NULL FROM rate_limit"));
        Assert.Equal("parked", await system.Services.QueryAsync<string>("SELECT state FROM alert_delivery"));
        Assert.Single(await system.RecordsAsync());
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> UploadAsync(
        AlertSystem system,
        string name,
        string content
    )
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Encoding.UTF8.GetBytes(content)), "file", name } };
        using var answer = await system.Services.Http.PostAsync("/files/alerts", form);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    private static async Task<long> RetryAsync(AlertSystem system, string path) =>
        (await system.Services.Http.GetFromJsonAsync<JsonElement>(path)).GetProperty("alerts").GetInt64();

    public sealed class Shared : SharedAlerts
    {
        private protected override (string Key, string? Value)[] Settings =>
            [("Alerts:MaxUploadBytes", "1000"), ("Alerts:RetrySchedule", "0:0:0")];
    }
}
