using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>From a file to the users that it alerts.</summary>
public sealed class AlertFileTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private static readonly object _unlimited = new { perSecond = 0 };

    [Fact]
    public async Task Each_row_of_a_file_is_one_alert_and_what_is_none_is_rejected_with_line_and_reason()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited);

        system.Drop("first.csv", "userId,alertMessage", "1,hello", "1,hello", "2,\"a, b\"", ",nobody", "3,one,too many", "4,");
        await UntilMovedAsync(system, "done/first.csv");
        await system.WaitForStateAsync("delivered", 3);

        Assert.Equal(["1,hello", "1,hello", "2,\"a, b\""], system.Output().Order(StringComparer.Ordinal));
        Assert.Equal("5,6,7", await system.Services.QueryAsync<string>("SELECT string_agg(line::text, ',' ORDER BY line) FROM file_reject"));
        Assert.Contains(
            "3 fields where 2", await system.Services.QueryAsync<string>("SELECT reason FROM file_reject WHERE line = 6"), StringComparison.Ordinal);
        Assert.Equal("2,3,4", await system.Services.QueryAsync<string>("SELECT string_agg(line::text, ',' ORDER BY line) FROM alert_delivery"));
    }

    [Fact]
    public async Task The_same_content_is_never_sent_twice_whatever_it_is_called_and_however_it_comes()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited);
        string[] lines = ["7,without a header", "8,as well"];
        system.Drop("first.csv", lines);
        await UntilMovedAsync(system, "done/first.csv");

        system.Drop("second.csv", lines);
        await UntilMovedAsync(system, "done/second.csv");
        var (status, answer) = await UploadAsync(system, string.Concat(lines.Select(line => line + Environment.NewLine)));
        await system.WaitForStateAsync("delivered", 2);

        Assert.Equal((HttpStatusCode.OK, "known"), (status, answer.GetProperty("status").GetString()));
        Assert.Equal(2, (await system.AlertedAsync()).Length);
    }

    [Fact]
    public async Task Copies_that_are_read_at_the_same_time_count_their_rows_once()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited);
        string[] lines = [.. Enumerable.Range(1, 3_000).Select(number => $"{number},once"), ",nobody"];
        string[] names = ["one.csv", "two.csv", "three.csv", "four.csv"];
        foreach (var name in names)
            system.Drop(name, lines);
        foreach (var name in names)
            await UntilMovedAsync(system, $"done/{name}");

        Assert.Equal("3000 1", await system.Services.QueryAsync<string>("SELECT string_agg(rows || ' ' || rejected, ', ') FROM alert_files_overview"));
    }

    [Fact]
    public async Task An_upload_is_delivered_and_one_that_is_empty_is_refused()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited);

        var (accepted, _) = await UploadAsync(system, "125,Order has been placed\n");
        var (refused, problem) = await UploadAsync(system, "");
        await system.WaitForStateAsync("delivered", 1);

        Assert.Equal(HttpStatusCode.Accepted, accepted);
        Assert.Equal(HttpStatusCode.BadRequest, refused);
        Assert.Equal("The file is empty.", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_header_with_only_one_of_the_columns_alerts_nobody()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited);

        system.Drop("wrong.csv", "userId,subject", "1,hello");
        await UntilMovedAsync(system, "failed/wrong.csv");

        Assert.Empty(await system.RecordsAsync());
        Assert.Equal("failed", await system.Services.QueryAsync<string>("SELECT state FROM alert_files_overview"));
    }

    [Fact]
    public async Task Little_of_a_huge_file_is_entered_at_a_time_and_a_small_one_that_comes_later_is_not_stuck_behind_it()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited, ("Alerts:Limit:PerSecond", "20"));
        system.Drop("huge.csv", Enumerable.Range(1, 50_000).Select(number => $"huge-{number},x"));
        await system.Services.WaitForAsync("SELECT count(*) >= 30 FROM alert_delivery WHERE state = 'delivered'", true);

        system.Drop("small.csv", Enumerable.Range(1, 10).Select(number => $"small-{number},x"));
        await system.Services.WaitForAsync("SELECT count(*) FROM alert_delivery WHERE state = 'delivered' AND file = 'small.csv'", 10L);

        // At twenty a second the huge file takes forty minutes.
        Assert.InRange(await system.Services.QueryAsync<long>("SELECT count(*) FROM alert_delivery WHERE file = 'huge.csv'"), 30, 5_000);
        Assert.InRange(await system.Services.QueryAsync<long>("SELECT waiting FROM alert_files_overview WHERE name = 'huge.csv'"), 1, 1_000);
    }

    private static async Task<(HttpStatusCode, JsonElement)> UploadAsync(AlertSystem system, string content)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Encoding.UTF8.GetBytes(content)), "file", "upload.csv" } };
        using var answer = await system.Services.Http.PostAsync("/upload", form);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    private static Task UntilMovedAsync(AlertSystem system, string name) =>
        AlertSystem.UntilAsync(() => File.Exists(Path.Combine(system.Folder, name)));
}
