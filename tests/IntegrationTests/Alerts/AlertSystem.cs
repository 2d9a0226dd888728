using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sagas.IntegrationTests.Host;
using Sagas.Simulators;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Services with the role <c>alerts</c>, and a receiver that takes as much as a test says.</summary>
internal sealed class AlertSystem : IAsyncDisposable
{
    public const string ApiKey = "key-of-the-operators";

    private readonly WebApplication _simulators;
    private readonly DirectoryInfo _folder;
    private int _refused;

    private AlertSystem(TestSystem services, WebApplication simulators, DirectoryInfo folder)
    {
        (Services, _simulators, _folder) = (services, simulators, folder);
        Receiver = new HttpClient { BaseAddress = new Uri(simulators.Urls.First()), Timeout = Eventually.Timeout };
    }

    public TestSystem Services { get; }

    public HttpClient Receiver { get; }

    /// <summary>What every alert is answered with, and to come again in an hour; null: what the receiver says.</summary>
    public int? Refusal { get; set; }

    /// <summary>How many alerts were answered so.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>The watched folder.</summary>
    public string Folder => _folder.FullName;

    public static async Task<AlertSystem> StartAsync(ITestServers servers, object behaviour, params (string Key, string? Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("alerts");
        var simulators = SimulatorHost.Create([], new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Webhooks:OutputFile"] = OutputOf(folder),
            ["Logging:LogLevel:Default"] = "Error",
        });
        AlertSystem? system = null;
        simulators.Use(async (context, next) =>
        {
            if (system is not { Refusal: { } refusal } || context.Request.Method != HttpMethods.Post)
            {
                await next();
                return;
            }

            Interlocked.Increment(ref system._refused);
            context.Response.StatusCode = refusal;
            context.Response.Headers.RetryAfter = "3600";
        });
        await simulators.StartAsync();
        var services = await TestSystem.CreateAsync(
            servers,
        [
            ("Roles", "alerts"), ("Operations:ApiKey", ApiKey), ("Alerts:Folder", folder.FullName), ("Alerts:AllowedHosts", "127.0.0.1"),
            ("Alerts:Endpoint", simulators.Urls.First() + "/webhooks/alerts"),
            // No call times out, nor ends its lease, because the machine does something else meanwhile.
            ("Alerts:Calls:CallTimeout", "01:00:00"), ("Alerts:Calls:LeaseMargin", "01:00:00"), ("ShutdownTimeout", $"{Eventually.Timeout}"),
            .. settings,
        ]);
        system = new AlertSystem(services, simulators, folder);
        await system.BehaveAsync(behaviour);
        await services.StartAsync();
        services.Http.DefaultRequestHeaders.Add("X-Api-Key", ApiKey);
        return system;
    }

    /// <summary>Has the receiver behave: <c>perSecond</c>, <c>burst</c>, <c>answer</c>.</summary>
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
        Services.PublishAsync("SendAlert", JsonSerializer.Serialize(new { alertId = id, userId = user, message }));

    /// <summary>Puts a file into the folder, complete from its first moment.</summary>
    public void Drop(string name, params IEnumerable<string> lines)
    {
        var part = Path.Combine(Folder, name + ".part");
        File.WriteAllLines(part, lines);
        File.Move(part, Path.Combine(Folder, name));
    }

    public async Task<WebhookRecord[]> RecordsAsync() => (await Receiver.GetFromJsonAsync<WebhookRecord[]>("/webhooks/records"))!;

    public async Task<WebhookRecord[]> AlertedAsync() => [.. (await RecordsAsync()).Where(record => record.Outcome == "Alerted")];

    /// <summary>What the receiver wrote into its output file.</summary>
    public string[] Output()
    {
        using var file = new StreamReader(new FileStream(OutputOf(_folder), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Waits until a file has been moved away after it was read to its end.</summary>
    public Task UntilDoneAsync(string name) => UntilAsync(() => File.Exists(Path.Combine(Folder, "done", name)));

    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var watch = Stopwatch.StartNew(); !await condition(); await Task.Delay(50))
            Assert.True(watch.Elapsed < Eventually.Timeout, $"Not in {Eventually.Timeout}.");
    }

    public Task WaitForStateAsync(string state, long rows) =>
        Services.WaitForAsync($"SELECT count(*) FROM alert_delivery WHERE state = '{state}'", rows);

    public async ValueTask DisposeAsync()
    {
        await Services.DisposeAsync();
        await _simulators.DisposeAsync();
        Receiver.Dispose();
        _folder.Delete(recursive: true);
        File.Delete(OutputOf(_folder));
    }

    private static string OutputOf(DirectoryInfo folder) => folder.FullName + "-output.csv";

    internal sealed record WebhookRecord(
        long Sequence, DateTimeOffset At, string Path, string Id, string? UserId, string? AlertMessage, int Status, string Outcome);
}
