using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sagas.IntegrationTests.Host;
using Sagas.Simulators;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Services with the role <c>alerts</c>, and a receiver whose limits a test sets.</summary>
internal sealed class AlertSystem : IAsyncDisposable
{
    public const string ApiKey = "key-of-the-operators";

    private readonly WebApplication _simulators;
    private readonly DirectoryInfo _folder;
    private int _forced;

    private AlertSystem(TestSystem services, WebApplication simulators, DirectoryInfo folder)
    {
        (Services, _simulators, _folder) = (services, simulators, folder);
        Receiver = new HttpClient { BaseAddress = new Uri(simulators.Urls.First()), Timeout = Eventually.Timeout };
    }

    public TestSystem Services { get; }

    public HttpClient Receiver { get; }

    /// <summary>The header of answers with <see cref="ForcedStatus"/>.</summary>
    public string ForcedRetryAfter { get; set; } = "3600";

    /// <summary>The status code for every alert, with <see cref="ForcedRetryAfter"/>; null lets the receiver answer.</summary>
    public int? ForcedStatus { get; set; }

    /// <summary>The number of alerts answered with <see cref="ForcedStatus"/>.</summary>
    public int ForcedResponses => Volatile.Read(ref _forced);

    /// <summary>The watched folder.</summary>
    public string Folder => _folder.FullName;

    /// <summary>The folder of uploads.</summary>
    public string UploadFolder => Path.Combine(Folder, "uploads");

    public static async Task<AlertSystem> StartAsync(
        ITestServers servers,
        object behaviour,
        params (string Key, string? Value)[] settings
    )
    {
        var folder = Directory.CreateTempSubdirectory("alerts");
        var simulators = SimulatorHost.Create(
            [],
            new Dictionary<string, string?>
            {
                ["urls"] = "http://127.0.0.1:0",
                ["Webhooks:OutputFile"] = OutputOf(folder),
                ["Logging:LogLevel:Default"] = "Error",
            }
        );
        AlertSystem? system = null;
        simulators.Use(
            async (context, next) =>
            {
                if (system is not { ForcedStatus: { } status } || context.Request.Method != HttpMethods.Post)
                {
                    await next();
                    return;
                }

                Interlocked.Increment(ref system._forced);
                context.Response.StatusCode = status;
                context.Response.Headers.RetryAfter = system.ForcedRetryAfter;
            }
        );
        await simulators.StartAsync();
        var services = await TestSystem.CreateAsync(
            servers,
            [
                ("Roles", "alerts"),
                ("Operations:ApiKey", ApiKey),
                ("Alerts:Folder", folder.FullName),
                ("Alerts:UploadFolder", Path.Combine(folder.FullName, "uploads")),
                ("Alerts:AllowedHosts", "127.0.0.1"),
                ("Alerts:Endpoint", simulators.Urls.First() + "/webhooks/alerts"),
                // So long that no call times out and no lease ends on a slow machine.
                ("Alerts:Calls:CallTimeout", "01:00:00"),
                ("Alerts:Calls:LeaseMargin", "01:00:00"),
                ("ShutdownTimeout", $"{Eventually.Timeout}"),
                .. settings,
            ]
        );
        system = new AlertSystem(services, simulators, folder);
        await system.BehaveAsync(behaviour);
        await services.StartAsync();
        services.Http.DefaultRequestHeaders.Add("X-Api-Key", ApiKey);
        return system;
    }

    /// <summary>Sets how the receiver behaves: <c>perSecond</c>, <c>burst</c>, <c>answer</c>.</summary>
    public async Task BehaveAsync(object behaviour)
    {
        using var response = await Receiver.PutAsJsonAsync("/webhooks/behaviour", behaviour);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public async Task FailAsync(object faults)
    {
        using var response = await Receiver.PutAsJsonAsync("/webhooks/faults", faults);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public Task SendAsync(string id, string user, string message) =>
        Services.PublishAsync(
            "SendAlert",
            JsonSerializer.Serialize(
                new
                {
                    alertId = id,
                    userId = user,
                    message,
                }
            )
        );

    /// <summary>Moves a complete file into the folder.</summary>
    public void Drop(string name, params IEnumerable<string> lines) => Drop(name, part => File.WriteAllLines(part, lines));

    /// <inheritdoc cref="Drop(string, IEnumerable{string})"/>
    public void Drop(string name, byte[] content) => Drop(name, part => File.WriteAllBytes(part, content));

    public static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return compressed.ToArray();
    }

    public async Task<WebhookRecord[]> RecordsAsync() => (await Receiver.GetFromJsonAsync<WebhookRecord[]>("/webhooks/records"))!;

    /// <summary>What was sent to the receiver for users whose names begin with <paramref name="users"/>.</summary>
    public async Task<WebhookRecord[]> RecordsOfAsync(string users) =>
        [.. (await RecordsAsync()).Where(record => record.UserId?.StartsWith(users, StringComparison.Ordinal) == true)];

    /// <summary>What the receiver accepted for users whose names begin with <paramref name="users"/>.</summary>
    public async Task<WebhookRecord[]> AlertedAsync(string users = "") =>
        [.. (await RecordsOfAsync(users)).Where(record => record.Outcome == "Alerted")];

    /// <summary>The receiver's output file, for users whose names begin with <paramref name="users"/>.</summary>
    public string[] Output(string users)
    {
        using var file = new StreamReader(new FileStream(OutputOf(_folder), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var rows = file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. rows.Where(row => row.StartsWith(users, StringComparison.Ordinal))];
    }

    /// <summary>Waits until a file has been moved to where it belongs, such as <c>done/users.csv</c>.</summary>
    public Task UntilMovedAsync(string name) =>
        Eventually.TrueAsync($"{name} in the folder", () => File.Exists(Path.Combine(Folder, name)));

    /// <summary>Waits until the services have requested permits twice: the first request may have begun earlier.</summary>
    public async Task AskedForPermitsAsync()
    {
        const string reads = "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'rate_limit'";
        var before = await Services.QueryAsync<long>(reads);
        await Services.WaitForAsync($"SELECT ({reads}) >= {before + 2}", true);
    }

    /// <summary>Waits for this many alerts in a state, of those that a condition on <c>alert_delivery</c> selects.</summary>
    public Task WaitForStateAsync(string state, long rows, string of = "true") =>
        Services.WaitForAsync($"SELECT count(*) FROM alert_delivery WHERE state = '{state}' AND {of}", rows);

    public async ValueTask DisposeAsync()
    {
        await Services.DisposeAsync();
        await _simulators.DisposeAsync();
        Receiver.Dispose();
        _folder.Delete(recursive: true);
        File.Delete(OutputOf(_folder));
    }

    private void Drop(string name, Action<string> write)
    {
        var part = Path.Combine(Folder, name + ".part");
        write(part);
        File.Move(part, Path.Combine(Folder, name));
    }

    private static string OutputOf(DirectoryInfo folder) => folder.FullName + "-output.csv";

    internal sealed record WebhookRecord(
        long Sequence,
        DateTimeOffset At,
        string Path,
        string Id,
        string? UserId,
        string? AlertMessage,
        int Status,
        string Outcome
    );
}
