using System.Net.Http.Json;
using System.Text.Json;
using Sagas.LocalServers;

namespace Sagas.EndToEndTests.Processes;

/// <summary>The simulators of third parties as a process.</summary>
internal sealed class SimulatorsProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";

    private readonly Dictionary<string, string> _settings;
    private readonly HttpClient _http;
    private ProgramProcess _process;

    private SimulatorsProcess((string Key, string Value)[] settings)
    {
        // A port that no outgoing connection gets while the simulators are down.
        Address = new Uri($"http://127.0.0.1:{LoopbackPorts.Pick(1)[0]}");
        _settings = settings.ToDictionary(setting => setting.Key, setting => setting.Value);
        _settings["ASPNETCORE_URLS"] = Address.ToString();
        _http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
        _process = Launch();
    }

    /// <summary>The base address, which stays the same after a restart.</summary>
    public Uri Address { get; }

    /// <summary>Starts the simulators and awaits that they are ready.</summary>
    /// <param name="settings">Their configuration.</param>
    public static async Task<SimulatorsProcess> StartAsync(params (string Key, string Value)[] settings)
    {
        var simulators = new SimulatorsProcess(settings);
        await simulators._process.ReadyAsync();
        return simulators;
    }

    /// <summary>Ends the simulators as a crash does, and starts them again.</summary>
    public async Task KillAndStartAsync()
    {
        await _process.DisposeAsync();
        _process = Launch();
        await _process.ReadyAsync();
    }

    /// <summary>Gets what the simulators answer.</summary>
    public Task<JsonElement> GetAsync(string path) => _http.GetFromJsonAsync<JsonElement>(path);

    /// <summary>Gets the elements of a list that the simulators answer.</summary>
    public IAsyncEnumerable<JsonElement> ListAsync(string path) => _http.GetFromJsonAsAsyncEnumerable<JsonElement>(path);

    /// <summary>Changes how the simulators behave.</summary>
    public async Task PutAsync(string path, object value)
    {
        using var response = await _http.PutAsJsonAsync(path, value);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Posts an empty request.</summary>
    public async Task PostAsync(string path)
    {
        using var response = await _http.PostAsync(path, null);
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _http.Dispose();
    }

    private ProgramProcess Launch() => ProgramProcess.Start("simulators", "Sagas.Simulators", [], _settings, Listening);
}
