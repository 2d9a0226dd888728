using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>The ways into a services process: the watched folder and uploads.</summary>
public sealed class UploadTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private const string Key = "a-key-that-is-long-enough";

    private static readonly Uri _uploads = new("/uploads", UriKind.Relative);

    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-incoming-").FullName;
    private TestSystem _system = null!;

    private string Incoming => Path.Combine(_folder, "incoming");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Incoming);
        _system = await TestSystem.CreateAsync(
            servers,
            ("Roles", "sagas,ingest"), ("Operations:ApiKey", Key), ("Ingest:Folder", Incoming), ("Ingest:StableFor", "00:00:00.2"),
            ("Ingest:UploadFolder", Path.Combine(_folder, "uploads")), ("Ingest:MaxUploadBytes", "100000"), ("Ingest:PollInterval", "00:00:00.5"));
        await _system.StartAsync();
        _system.Http.DefaultRequestHeaders.Add("X-Api-Key", Key);
    }

    public async Task DisposeAsync()
    {
        await _system.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Files_in_the_folder_are_taken_in_and_moved()
    {
        Put("good.csv", "id,email\n1,ada@example.org\n2,nobody\n");
        Put("bad.csv", "no header\n");

        await _system.WaitForAsync("SELECT count(*) FROM file WHERE state IN ('done', 'refused')", 2L);

        var reason = new FileInfo(Path.Combine(Incoming, "failed", "bad.csv.reason.txt"));
        await UntilAsync(() =>
        {
            reason.Refresh();
            return File.Exists(Path.Combine(Incoming, "done", "good.csv")) && reason is { Exists: true, Length: > 0 };
        });
        Assert.Contains("2,nobody", await File.ReadAllTextAsync(Path.Combine(Incoming, "done", "good.rejects.csv")), StringComparison.Ordinal);
        Assert.StartsWith("The first line is no usable header", await File.ReadAllTextAsync(reason.FullName), StringComparison.Ordinal);
        Assert.Equal(1L, await _system.QueryAsync<long>("SELECT count(*) FROM customer_state"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_stays_and_holds_up_no_other()
    {
        // Reading it fails whoever tries, while its like without permission can be read by root.
        File.CreateSymbolicLink(Path.Combine(Incoming, "a-broken.csv"), "/proc/self/mem");
        Put("b-first.csv", "id\n1\n");
        await UntilAsync(() => File.Exists(Path.Combine(Incoming, "done", "b-first.csv")));
        Put("c-second.csv", "id\n2\n");
        await UntilAsync(() => File.Exists(Path.Combine(Incoming, "done", "c-second.csv")));
        Assert.True(File.Exists(Path.Combine(Incoming, "a-broken.csv")));

        Put("a-broken.csv", "id\n3\n");
        await UntilAsync(() => File.Exists(Path.Combine(Incoming, "done", "a-broken.csv")));
        Assert.Equal(3L, await _system.QueryAsync<long>("SELECT count(*) FROM customer_state"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_upload_is_taken_in_and_its_progress_told(bool multipart)
    {
        using var file = new StringContent("id,email\n1,ada@example.org\n2,nobody\n", Encoding.UTF8, "text/csv");
        using var form = new MultipartFormDataContent { { file, "file", "customers.csv" } };

        using var response = await _system.Http.PostAsync(multipart ? _uploads : new Uri("/uploads?name=customers.csv", UriKind.Relative), multipart ? form : file);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var status = await UntilEndedAsync(response.Headers.Location!);
        Assert.Equal("done customers.csv 2 1 1", Describe(status));
        Assert.Equal(1L, await _system.QueryAsync<long>("SELECT count(*) FROM customer_state"));
        Assert.Equal(
            "line,column,reason,record\r\n3,email,is no e-mail address,\"2,nobody\"\r\n",
            await _system.Http.GetStringAsync(new Uri($"{response.Headers.Location}/rejects", UriKind.Relative)));
        await UntilAsync(() => Directory.GetFiles(Path.Combine(_folder, "uploads")).Length == 0);

        // The same content once more is the same upload, and it is done.
        using var again = await _system.Http.PostAsync(_uploads, new StringContent("id,email\n1,ada@example.org\n2,nobody\n"));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(status.GetProperty("id").GetString(), (await again.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task What_cannot_be_taken_is_refused_with_a_problem_and_leaves_nothing_behind()
    {
        await RefusedAsync(new StringContent(new string('x', 100_001)), HttpStatusCode.RequestEntityTooLarge, "larger than 100,000 bytes");
        await RefusedAsync(new StringContent(""), HttpStatusCode.BadRequest, "The file is empty.");
        await RefusedAsync(new MultipartFormDataContent { { new StringContent("1"), "field" } }, HttpStatusCode.BadRequest, "The form has no file");
        var cut = new StringContent("--x\r\nContent-Disposition: form-data; name=file; filename=a.csv\r\n\r\nid\n1\n");
        cut.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        await RefusedAsync(cut, HttpStatusCode.BadRequest, "The multipart form is malformed or was cut off before its end.");
        using (var missing = await _system.Http.GetAsync(new Uri($"/uploads/{Guid.NewGuid()}", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        _system.Http.DefaultRequestHeaders.Remove("X-Api-Key");
        await RefusedAsync(new StringContent("id\n1\n"), HttpStatusCode.Unauthorized, "X-Api-Key");

        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "uploads")));
        Assert.Equal(0L, await _system.QueryAsync<long>("SELECT count(*) FROM file"));
    }

    private static string Describe(JsonElement status) => string.Join(
        ' ', new[] { "state", "name", "rows", "added", "rejected" }.Select(property => status.GetProperty(property).ToString()));

    // As a whole: a file that is empty for long enough is taken for complete.
    private void Put(string name, string content)
    {
        var written = Path.Combine(_folder, name);
        File.WriteAllText(written, content);
        File.Move(written, Path.Combine(Incoming, name), overwrite: true);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Eventually.Timeout);
        while (!condition())
            await Task.Delay(20, patience.Token);
    }

    private async Task RefusedAsync(HttpContent content, HttpStatusCode expected, string detail)
    {
        using (content)
        {
            using var response = await _system.Http.PostAsync(_uploads, content);
            Assert.Equal(expected, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            Assert.Contains(detail, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    private async Task<JsonElement> UntilEndedAsync(Uri upload)
    {
        using var patience = new CancellationTokenSource(Eventually.Timeout);
        while (true)
        {
            var status = await _system.Http.GetFromJsonAsync<JsonElement>(upload, patience.Token);
            if (status.GetProperty("state").GetString() is not ("waiting" or "running"))
                return status;
            await Task.Delay(20, patience.Token);
        }
    }
}
