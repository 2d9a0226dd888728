using System.Diagnostics;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>Programs of the product as processes of their own, so that each is measured alone.</summary>
internal sealed class BenchmarkPrograms : IAsyncDisposable
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http = new();
    private readonly Stack<ServerProcess> _started = new();
    private readonly Stack<string> _directories = new();

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its assembly, such as <c>Sagas.Host</c>.</param>
    /// <param name="settings">Its environment; settings of services in the caller's environment are left out.</param>
    public ServerProcess Start(string program, Dictionary<string, string> settings)
    {
        var directory = ServerDirectory.Create("bench");
        _directories.Push(directory);
        var assembly = Path.Combine(AppContext.BaseDirectory, program + ".dll");
        var environment = new ServerEnvironment(
            ["ASPNETCORE_", "ObjectStatus__", "Alerts__", "Webhooks__", "Serilog__"],
            settings
        );
        var process = ServerProcess.Start(directory, ["dotnet", assembly], environment);
        _started.Push(process);
        return process;
    }

    /// <summary>Waits until a program is ready.</summary>
    /// <param name="health">Its health endpoint.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task UntilReadyAsync(Uri health, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await _http.GetAsync(health, cancellationToken);
                if (response.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(started) < _timeout)
            {
                // It does not listen yet.
            }

            if (Stopwatch.GetElapsedTime(started) > _timeout)
                throw new TimeoutException($"{health} was not ready within {_timeout.TotalSeconds:0} s.");
            await Task.Delay(50, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_started.TryPop(out var process))
            await process.DisposeAsync();
        while (_directories.TryPop(out var directory))
            ServerDirectory.Remove(directory);
        _http.Dispose();
    }
}
