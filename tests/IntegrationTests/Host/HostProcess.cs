using System.Diagnostics;

namespace Sagas.IntegrationTests.Host;

/// <summary>The published program as a process of its own, killed at the end.</summary>
internal sealed class HostProcess : IDisposable
{
    private readonly Process _process;

    private HostProcess(Process process) => _process = process;

    public static HostProcess Start(IReadOnlyDictionary<string, string?> settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Sagas.Host.dll")])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var (key, value) in settings)
            start.Environment[key == "urls" ? "ASPNETCORE_URLS" : key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return new HostProcess(Process.Start(start)!);
    }

    /// <summary>The next line of its log.</summary>
    public async Task<string> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync(Eventually.Cancellation())
        ?? throw new EndOfStreamException("The process ended.");

    /// <summary>Awaits a line of its log that contains a text.</summary>
    public async Task SaysAsync(string text)
    {
        string line;
        do line = await ReadLineAsync();
        while (!line.Contains(text, StringComparison.Ordinal));
    }

    public void Terminate() => Process.Start("kill", ["-TERM", $"{_process.Id}"]).Dispose();

    /// <summary>Awaits its end.</summary>
    /// <returns>Its exit code and error output.</returns>
    public async Task<(int ExitCode, string Error)> EndsAsync()
    {
        var error = await _process.StandardError.ReadToEndAsync(Eventually.Cancellation());
        await _process.WaitForExitAsync(Eventually.Cancellation());
        return (_process.ExitCode, error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
