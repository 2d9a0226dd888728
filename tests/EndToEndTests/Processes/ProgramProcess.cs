using System.Diagnostics;

namespace Sagas.EndToEndTests.Processes;

/// <summary>A program of the product as a process, which does not outlive the tests.</summary>
internal sealed class ProgramProcess : IAsyncDisposable
{
    // The shell becomes the program (exec keeps its number), after leaving a watchdog behind that kills it when the
    // other end of the pipe closes without a line, because the tests themselves were killed.
    private const string Launch = """
        exec 3<&0
        { read -r line <&3 || kill -KILL $$; } >/dev/null 2>&1 &
        exec "$@" 3<&- </dev/null
        """;

    private const int LinesKept = 400;

    private readonly Process _process;
    private readonly Queue<string> _lines = new();
    private readonly TaskCompletionSource<string> _line = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string? _awaited;
    private readonly StreamWriter? _file;

    private ProgramProcess(string name, ProcessStartInfo start, string? awaited)
    {
        Name = name;
        _awaited = awaited;
        if (Environment.GetEnvironmentVariable("SAGAS_TEST_LOGS") is { Length: > 0 } folder)
        {
            var file = Path.Combine(Directory.CreateDirectory(folder).FullName, $"{DateTime.UtcNow:HHmmss-fff}-{name}.log");
            _file = new StreamWriter(file) { AutoFlush = true };
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Ended = EndAsync();
    }

    public string Name { get; }

    /// <summary>Completes with the exit code; 128 and the number of the signal that ended it.</summary>
    public Task<int> Ended { get; }

    /// <summary>Starts a program from the tests' folder.</summary>
    /// <param name="name">Its name in reports.</param>
    /// <param name="program">Name of its assembly.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="settings">Configuration keys, which become environment variables.</param>
    /// <param name="awaited">What it writes once it is ready, for <see cref="ReadyAsync"/>.</param>
    public static ProgramProcess Start(
        string name,
        string program,
        IEnumerable<string> arguments,
        IEnumerable<KeyValuePair<string, string>> settings,
        string? awaited = null
    )
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, program + ".dll");
        var start = new ProcessStartInfo("bash", ["-c", Launch, "sagas-test", "dotnet", assembly, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        DoWithoutProfile(start);
        foreach (var (key, value) in settings)
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return new ProgramProcess(name, start, awaited);
    }

    /// <summary>
    /// Turns off profile-guided compilation, which pays off in long-running programs; these spend most of their time
    /// starting.
    /// </summary>
    public static void DoWithoutProfile(ProcessStartInfo start) => start.Environment["DOTNET_TieredPGO"] = "0";

    /// <summary>Waits for the line that says that the program is ready.</summary>
    /// <returns>The line.</returns>
    public async Task<string> ReadyAsync()
    {
        await Task.WhenAny(_line.Task, Ended).WaitAsync(Eventually.Timeout);
        return _line.Task.IsCompleted
            ? await _line.Task
            : throw new InvalidOperationException($"{Name} ended with {await Ended}: {LastLines(20)}");
    }

    /// <summary>Ends the process as a crash does.</summary>
    public async Task KillAsync()
    {
        if (!Ended.IsCompleted)
            _process.Kill();
        await Ended;
    }

    /// <summary>Stops the process in an orderly way (SIGTERM).</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        if (!Ended.IsCompleted)
            Process.Start("kill", ["-TERM", $"{_process.Id}"]).Dispose();
        return await Ended.WaitAsync(Eventually.Timeout);
    }

    /// <summary>The end of what the process wrote.</summary>
    public string LastLines(int count)
    {
        lock (_lines)
            return string.Join(Environment.NewLine, _lines.TakeLast(count));
    }

    public override string ToString() => Ended.IsCompletedSuccessfully ? $"{Name}, ended with {Ended.Result}" : Name;

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        if (_file is not null)
            await _file.DisposeAsync();
    }

    private async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync();
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Killed so early that it left no watchdog behind.
        }

        return _process.ExitCode;
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > LinesKept)
                _lines.Dequeue();
            _file?.WriteLine(line);
        }

        if (_awaited is not null && line.Contains(_awaited, StringComparison.Ordinal))
            _line.TrySetResult(line);
    }
}
