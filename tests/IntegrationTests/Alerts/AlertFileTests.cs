using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>From a file to the users that it alerts.</summary>
public sealed class AlertFileTests(AlertFileTests.Shared shared) : IClassFixture<AlertFileTests.Shared>
{
    [Fact]
    [Trait("Category", "Smoke")]
    public async Task Each_row_of_a_file_is_one_alert_and_invalid_rows_are_rejected_with_line_and_reason()
    {
        shared.System.Drop(
            "rows.csv",
            "userId,alertMessage",
            "row-1,hello",
            "row-1,hello",
            "row-2,\"a, b\"",
            ",nobody",
            "row-3,one,too many",
            "row-4,"
        );
        await shared.System.UntilMovedAsync("done/rows.csv");
        await shared.System.WaitForStateAsync("delivered", 3, "file = 'rows.csv'");

        const string file = "file_id = (SELECT file_id FROM file WHERE name = 'rows.csv')";
        Assert.Equal(
            ["row-1,hello", "row-1,hello", "row-2,\"a, b\""],
            shared.System.Output("row-").Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            "5,6,7",
            await shared.System.Services.QueryAsync<string>(
                $"SELECT string_agg(line::text, ',' ORDER BY line) FROM file_reject WHERE {file}"
            )
        );
        Assert.Contains(
            "3 fields where the header has 2",
            await shared.System.Services.QueryAsync<string>($"SELECT reason FROM file_reject WHERE {file} AND line = 6"),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "2,3,4",
            await shared.System.Services.QueryAsync<string>(
                $"SELECT string_agg(line::text, ',' ORDER BY line) FROM alert_delivery WHERE {file}"
            )
        );
    }

    [Fact]
    public async Task The_same_content_is_never_sent_twice_under_any_name_from_folder_or_upload()
    {
        string[] lines = ["same-7,without a header", "same-8,as well"];
        shared.System.Drop("first.csv", lines);
        await shared.System.UntilMovedAsync("done/first.csv");

        shared.System.Drop("second.csv", lines);
        await shared.System.UntilMovedAsync("done/second.csv");
        var (status, answer) = await UploadAsync(string.Concat(lines.Select(line => line + Environment.NewLine)));
        await shared.System.WaitForStateAsync("delivered", 2, "file = 'first.csv'");

        Assert.Equal((HttpStatusCode.OK, "completed"), (status, answer.GetProperty("state").GetString()));
        Assert.Equal(2, (await shared.System.AlertedAsync("same-")).Length);
    }

    [Fact]
    public async Task Copies_that_are_read_at_the_same_time_count_their_rows_once()
    {
        string[] lines = [.. Enumerable.Range(1, 1_000).Select(number => $"{number},once"), ",nobody"];
        string[] names = ["one.csv", "two.csv", "three.csv", "four.csv"];
        foreach (var name in names)
            shared.System.Drop(name, lines);
        foreach (var name in names)
            await shared.System.UntilMovedAsync($"done/{name}");

        Assert.Equal(
            "1000 1",
            await shared.System.Services.QueryAsync<string>(
                "SELECT string_agg(rows || ' ' || rejected, ', ') FROM alert_files_overview "
                    + "WHERE name IN ('one.csv', 'two.csv', 'three.csv', 'four.csv')"
            )
        );
    }

    [Fact]
    public async Task An_upload_is_delivered_and_an_empty_one_is_rejected()
    {
        var (accepted, _) = await UploadAsync("upload-125,Order has been placed\n");
        var (rejected, problem) = await UploadAsync("");
        await shared.System.WaitForStateAsync("delivered", 1, "user_id = 'upload-125'");

        Assert.Equal(HttpStatusCode.Accepted, accepted);
        Assert.Equal(HttpStatusCode.BadRequest, rejected);
        Assert.Equal("The file is empty.", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_header_with_only_one_of_the_columns_fails_the_file()
    {
        shared.System.Drop("wrong.csv", "userId,subject", "wrong-1,hello");
        await shared.System.UntilMovedAsync("failed/wrong.csv");

        Assert.Empty(await shared.System.RecordsOfAsync("wrong-"));
        Assert.Equal(
            "invalid",
            await shared.System.Services.QueryAsync<string>("SELECT state FROM alert_files_overview WHERE name = 'wrong.csv'")
        );
    }

    [Fact]
    public async Task Files_with_and_without_a_header_alert_their_users_and_list_their_rejected_rows()
    {
        shared.System.Drop(
            "header.csv",
            "alert_message,user_id",
            "\"Placed, and\nshipped\",end-125",
            "no user,",
            "Zoë ✓,end-126",
            "one,too,many",
            ",end-127"
        );
        shared.System.Drop("plain.csv", "end-128,Order has been placed", "end-129,\"He said \"\"hi\"\"\"");

        await shared.System.WaitForStateAsync("delivered", 4, "file IN ('header.csv', 'plain.csv')");
        Assert.Equal(
            [
                ("end-125", "Placed, and\nshipped"),
                ("end-126", "Zoë ✓"),
                ("end-128", "Order has been placed"),
                ("end-129", "He said \"hi\""),
            ],
            (await shared.System.AlertedAsync("end-"))
                .Select(record => (record.UserId, record.AlertMessage))
                .OrderBy(alert => alert.UserId)
        );
        await shared.System.UntilMovedAsync("done/header.csv");
        await shared.System.UntilMovedAsync("done/plain.csv");
        var rejects = await File.ReadAllLinesAsync(Path.Combine(shared.System.Folder, "done", "header.csv.rejects.csv"));
        Assert.Equal(["line", "4", "6", "7"], rejects.Select(row => row.Split(',')[0]));
        Assert.Equal(
            3,
            await shared.System.Services.QueryAsync<long>("SELECT rejected FROM alert_files_overview WHERE name = 'header.csv'")
        );
        Assert.Equal(
            2,
            await shared.System.Services.QueryAsync<long>("SELECT line FROM alert_delivery WHERE user_id = 'end-125'")
        );
        Assert.False(File.Exists(Path.Combine(shared.System.Folder, "done", "plain.csv.rejects.csv")));
    }

    public static TheoryData<string, byte[]> MadeBySpreadsheets =>
        new()
        {
            { "made-cr.csv", "userId,alertMessage\rmade-cr-1,Hi\rmade-cr-2,Hi\r"u8.ToArray() },
            { "made-sep.csv", "sep=,\r\nuserId,alertMessage\r\nmade-sep-1,Hi\r\nmade-sep-2,Hi\r\n"u8.ToArray() },
            {
                "made-gz.csv.gz",
                [
                    .. AlertSystem.Gzip("userId,alertMessage\nmade-gz-1,Hi\n"),
                    .. AlertSystem.Gzip("userId,alertMessage\nmade-gz-2,Hi\n"),
                ]
            },
            { "made-semi.csv", "userId;alertMessage\nmade-semi-1;Hi\nmade-semi-2;Hi\n;;\n"u8.ToArray() },
        };

    [Theory]
    [MemberData(nameof(MadeBySpreadsheets))]
    public async Task What_spreadsheets_and_concatenation_make_is_sent(string name, byte[] content)
    {
        shared.System.Drop(name, content);
        await shared.System.UntilMovedAsync($"done/{name}");

        var users = name.Split('.')[0];
        await shared.System.WaitForStateAsync("delivered", 2, $"user_id LIKE '{users}-%'");
        Assert.Equal(
            [$"{users}-1 Hi", $"{users}-2 Hi"],
            (await shared.System.AlertedAsync(users)).Select(record => $"{record.UserId} {record.AlertMessage}").Order()
        );
        Assert.Equal(
            0,
            await shared.System.Services.QueryAsync<long>($"SELECT rejected FROM alert_files_overview WHERE name = '{name}'")
        );
    }

    [Theory]
    [InlineData("kind-header.csv", "id,first_name\nkind-1,Ada\n", "it has no column named userId")]
    [InlineData("kind-rows.csv", "", "rows were rejected")]
    public async Task A_file_of_customers_alerts_nobody(string name, string content, string reason)
    {
        // Some rows happen to fit.
        if (content.Length == 0)
            content = string.Concat(
                Enumerable.Range(1, 60).Select(n => n % 4 == 1 ? $"kind-{n},Ada\n" : $"kind-{n},Ada,a@b.de\n")
            );
        shared.System.Drop(name, Encoding.UTF8.GetBytes(content));

        await shared.System.UntilMovedAsync($"failed/{name}");

        Assert.Contains(
            reason,
            await File.ReadAllTextAsync(Path.Combine(shared.System.Folder, "failed", name + ".reason.txt")),
            StringComparison.Ordinal
        );
        Assert.Empty(await shared.System.RecordsOfAsync("kind-"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_is_put_aside_with_the_reason()
    {
        shared.System.Drop("columns.csv", "userId,text_of_alert", "wrong-125,a");
        var whole = AlertSystem.Gzip(string.Concat(Enumerable.Range(0, 5_000).Select(n => $"{n * 7919},x\n")));
        var cut = whole[..(whole.Length / 2)];
        shared.System.Drop("cut.csv.gz", cut);

        var reason = Path.Combine(shared.System.Folder, "failed", "columns.csv.reason.txt");
        await Eventually.TrueAsync(
            "the reason",
            () => File.Exists(reason) && File.ReadAllText(reason).Contains("alertMessage", StringComparison.Ordinal)
        );
        await shared.System.UntilMovedAsync("failed/cut.csv.gz.reason.txt");
        Assert.Equal(
            "invalid",
            await shared.System.Services.QueryAsync<string>("SELECT state FROM alert_files_overview WHERE name = 'columns.csv'")
        );
        Assert.Equal(
            0,
            await shared.System.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview WHERE name = 'columns.csv'")
        );
        // The rows before the cut are entered.
        Assert.Equal(
            RowsBefore(cut),
            await shared.System.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview WHERE name = 'cut.csv.gz'")
        );
    }

    private async Task<(HttpStatusCode, JsonElement)> UploadAsync(string content)
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(Encoding.UTF8.GetBytes(content)), "file", "upload.csv" },
        };
        using var answer = await shared.System.Services.Http.PostAsync("/files/alerts", form);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    private static long RowsBefore(byte[] cut)
    {
        using var text = new GZipStream(new MemoryStream(cut), CompressionMode.Decompress);
        var rows = 0L;
        try
        {
            for (var next = text.ReadByte(); next >= 0; next = text.ReadByte())
                rows += next == '\n' ? 1 : 0;
        }
        catch (InvalidDataException)
        {
            // The file is cut here.
        }

        return rows;
    }

    public sealed class Shared : SharedAlerts
    {
        private protected override (string Key, string? Value)[] Settings => [];
    }
}
