using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>Files that enter by the watched folder and by uploads.</summary>
public sealed class UploadTests(UploadTests.Shared shared) : IClassFixture<UploadTests.Shared>, IAsyncLifetime
{
    private const string Key = "a-key-that-is-long-enough";

    private static readonly Uri _uploads = new("/files/customers", UriKind.Relative);

    private readonly HttpClient _operator = new();
    private TestSystem _system = null!;

    private string Incoming => shared.Incoming;

    public async Task InitializeAsync()
    {
        _system = await shared.StartedAsync();
        _operator.BaseAddress = _system.Http.BaseAddress;
        _operator.DefaultRequestHeaders.Add("X-Api-Key", Key);
    }

    public Task DisposeAsync()
    {
        _operator.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Files_in_the_folder_are_ingested_and_moved()
    {
        Put("good.csv", "id,email\nfolder-1,ada@example.org\nfolder-2,nobody\n");
        Put("bad.csv", "no header\n");

        await _system.WaitForAsync(
            "SELECT count(*) FROM file WHERE name IN ('good.csv', 'bad.csv') AND state IN ('completed', 'invalid')",
            2L
        );
        var reason = new FileInfo(Path.Combine(Incoming, "failed", "bad.csv.reason.txt"));
        await Eventually.TrueAsync(
            "good.csv is moved and bad.csv has its reason",
            () =>
            {
                reason.Refresh();
                return File.Exists(Path.Combine(Incoming, "done", "good.csv")) && reason is { Exists: true, Length: > 0 };
            }
        );
        var rejects = await File.ReadAllTextAsync(Path.Combine(Incoming, "done", "good.csv.rejects.csv"));
        Assert.Contains("folder-2,nobody", rejects, StringComparison.Ordinal);
        Assert.StartsWith(
            "The first line is not a valid header",
            await File.ReadAllTextAsync(reason.FullName),
            StringComparison.Ordinal
        );
        Assert.Equal(1L, await CountCustomersAsync("folder"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_ingested_delays_no_other()
    {
        // A link to what no user can read, a header that Postgres cannot store, and the longest name.
        File.CreateSymbolicLink(Path.Combine(Incoming, "a-link.csv"), "/proc/self/mem");
        Put("b-nul.csv", "id,em\0ail\nread-0,bad\n");
        Put(new string('c', 246) + ".csv", "no header\n");
        Put("d-first.csv", "id\nread-1\n");
        await MovedAsync("d-first.csv");
        Put("e-second.csv", "id\nread-2\n");
        await MovedAsync("e-second.csv");

        await Eventually.TrueAsync(
            "a-link.csv is put aside",
            () => new FileInfo(FailedPath("a-link.csv")).LinkTarget is not null
        );
        await Eventually.TrueAsync("b-nul.csv has failed", () => File.Exists(FailedPath("b-nul.csv")));
        await Eventually.TrueAsync("the longest name has failed", () => File.Exists(FailedPath(new string('c', 246) + ".csv")));
        Assert.Contains("U+0000", await File.ReadAllTextAsync(FailedPath("b-nul.csv.reason.txt")), StringComparison.Ordinal);
        Assert.Equal(2L, await CountCustomersAsync("read"));
    }

    [Theory]
    [InlineData(".csv", "upload.csv")]
    [InlineData(".", "upload.csv")]
    [InlineData(" .csv", "upload.csv")]
    [InlineData("..", "upload.csv")]
    [InlineData(".csv.gz", "upload.csv.gz")]
    [InlineData("C:\\data\\ kunden.csv ", "kunden.csv")]
    public async Task An_upload_of_any_name_is_ingested(string name, string expected)
    {
        var customer = $"name-{Guid.NewGuid():N}";
        using var content = new StringContent($"id,email\n{customer},\n,=x\n", Encoding.UTF8, "text/csv");

        using var response = await _operator.PostAsync(
            new Uri($"/files/customers?name={Uri.EscapeDataString(name)}", UriKind.Relative),
            content
        );

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal($"completed {expected} 2 1 1", Describe(await UntilEndedAsync(response.Headers.Location!)));
        Assert.Equal(1L, await CountCustomersAsync(customer[..^1], customer[^1..]));
        using var rejects = await _operator.GetAsync(new Uri($"{response.Headers.Location}/rejects", UriKind.Relative));
        Assert.Equal(expected + ".rejects.csv", rejects.Content.Headers.ContentDisposition?.FileNameStar);
    }

    [Fact]
    public async Task An_upload_with_a_header_that_Postgres_cannot_store_is_invalid_and_blocks_no_other()
    {
        using var nul = new StringContent("id,em\0ail\nnul-1,bad\n");
        using var good = new StringContent("id\nnul-2\n");

        using var first = await _operator.PostAsync(_uploads, nul);
        using var second = await _operator.PostAsync(_uploads, good);

        var status = await UntilEndedAsync(first.Headers.Location!);
        Assert.Equal("invalid", status.GetProperty("state").GetString());
        Assert.Contains("U+0000", status.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal("completed", (await UntilEndedAsync(second.Headers.Location!)).GetProperty("state").GetString());
    }

    [Theory]
    [Trait("Category", "Smoke")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_upload_is_ingested_and_its_progress_reported(bool multipart)
    {
        var prefix = multipart ? "form" : "body";
        var content = $"id,email\n{prefix}-1,ada@example.org\n{prefix}-2,nobody\n";
        using var file = new StringContent(content, Encoding.UTF8, "text/csv");
        using var form = new MultipartFormDataContent { { file, "file", "customers.csv" } };

        using var response = await _operator.PostAsync(
            multipart ? _uploads : new Uri("/files/customers?name=customers.csv", UriKind.Relative),
            multipart ? form : file
        );

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var status = await UntilEndedAsync(response.Headers.Location!);
        Assert.Equal("completed customers.csv 2 1 1", Describe(status));
        Assert.Equal(1L, await CountCustomersAsync(prefix));
        Assert.Equal(
            $"line,column,reason,record\r\n3,email,is not an e-mail address,\"{prefix}-2,nobody\"\r\n",
            await _operator.GetStringAsync(new Uri($"{response.Headers.Location}/rejects", UriKind.Relative))
        );
        await UploadsAreGoneAsync();

        // The same content again is the same upload, already completed.
        using var again = await _operator.PostAsync(_uploads, new StringContent(content));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        var same = await again.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(status.GetProperty("id").GetString(), same.GetProperty("id").GetString());
    }

    [Fact]
    public async Task An_invalid_upload_is_answered_with_a_problem_and_leaves_nothing_behind()
    {
        var files = await CountFilesAsync();
        await RejectedAsync(
            new StringContent(new string('x', 100_001)),
            HttpStatusCode.RequestEntityTooLarge,
            "larger than 100,000 bytes"
        );
        await RejectedAsync(new StringContent(""), HttpStatusCode.BadRequest, "The file is empty.");
        await RejectedAsync(
            new MultipartFormDataContent { { new StringContent("1"), "field" } },
            HttpStatusCode.BadRequest,
            "The form has no file"
        );
        var cut = new StringContent("--x\r\nContent-Disposition: form-data; name=file; filename=a.csv\r\n\r\nid\n1\n");
        cut.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        await RejectedAsync(cut, HttpStatusCode.BadRequest, "The multipart form is malformed or was cut off.");
        var packed = new StringContent("id\n1\n");
        packed.Headers.ContentEncoding.Add("br");
        await RejectedAsync(packed, HttpStatusCode.UnsupportedMediaType, "compressed by gzip only");
        using (var missing = await _operator.GetAsync(new Uri($"/files/customers/{Guid.NewGuid()}", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        _operator.DefaultRequestHeaders.Clear();
        await RejectedAsync(new StringContent("id\n1\n"), HttpStatusCode.Unauthorized, "X-Api-Key");

        await UploadsAreGoneAsync();
        Assert.Equal(files, await CountFilesAsync());
    }

    private static string Describe(JsonElement status) =>
        string.Join(
            ' ',
            new[] { "state", "name", "rows", "added", "rejected" }.Select(property => status.GetProperty(property).ToString())
        );

    // Moved when complete: a file that stays empty for long enough counts as complete.
    private void Put(string name, string content)
    {
        var written = Path.Combine(shared.Folder, name);
        File.WriteAllText(written, content);
        File.Move(written, Path.Combine(Incoming, name), overwrite: true);
    }

    private Task MovedAsync(string name) =>
        Eventually.TrueAsync($"{name} is done", () => File.Exists(Path.Combine(Incoming, "done", name)));

    private Task UploadsAreGoneAsync() =>
        Eventually.EqualAsync(0, () => Directory.GetFiles(Path.Combine(shared.Folder, "uploads")).Length);

    private string FailedPath(string name) => Path.Combine(Incoming, "failed", name);

    private Task<long> CountCustomersAsync(string prefix, string rest = "-%") =>
        _system.QueryAsync<long>($"SELECT count(*) FROM customer_state WHERE customer_id LIKE '{prefix}{rest}'");

    private Task<long> CountFilesAsync() => _system.QueryAsync<long>("SELECT count(*) FROM file");

    private async Task RejectedAsync(HttpContent content, HttpStatusCode expected, string detail)
    {
        using (content)
        {
            using var response = await _operator.PostAsync(_uploads, content);
            Assert.Equal(expected, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            Assert.Contains(
                detail,
                (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(),
                StringComparison.Ordinal
            );
        }
    }

    private Task<JsonElement> UntilEndedAsync(Uri upload) =>
        Eventually.MatchesAsync(
            $"{upload} has ended",
            () => _operator.GetFromJsonAsync<JsonElement>(upload),
            status => status.GetProperty("state").GetString() is not ("pending" or "running")
        );

    /// <summary>A services process that watches a folder.</summary>
    public sealed class Shared : SharedSystem
    {
        public Shared()
            : this(Directory.CreateTempSubdirectory("sagas-incoming-").FullName) { }

        private Shared(string folder)
            : base(
                new ServersFixture(),
                ("Roles", "sagas,ingest"),
                ("Operations:ApiKey", Key),
                ("Ingest:Folder", Path.Combine(folder, "incoming")),
                ("Ingest:SettleDelay", "00:00:00.2"),
                ("Ingest:UploadFolder", Path.Combine(folder, "uploads")),
                ("Ingest:MaxUploadBytes", "100000"),
                ("Ingest:PollInterval", "00:00:00.2")
            )
        {
            Folder = folder;
            Directory.CreateDirectory(Incoming);
        }

        internal string Folder { get; }

        internal string Incoming => Path.Combine(Folder, "incoming");

        public override async Task DisposeAsync()
        {
            await base.DisposeAsync();
            Directory.Delete(Folder, recursive: true);
        }
    }
}
