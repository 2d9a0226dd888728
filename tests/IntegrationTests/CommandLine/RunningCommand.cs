using Sagas.Cli.CommandLine;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>A command line that runs in parallel to the test, which reads its output.</summary>
internal sealed class RunningCommand : IAsyncDisposable
{
    private readonly CancellationTokenSource _ctrlC = new();
    private readonly StringWriter _output = new();
    private readonly WatchedWriter _error = new();

    private RunningCommand(string postgres, string[] args)
    {
        var environment = new Dictionary<string, string> { ["ConnectionStrings__Postgres"] = $"{postgres};Timeout=60" };
        var terminal = new Terminal(_output, _error, width: 160) { Environment = environment.GetValueOrDefault };
        ExitCode = Task.Run(() => CommandRun.RunAsync(Sagas.Cli.Program.Commands, args, terminal, _ctrlC.Token));
    }

    /// <summary>Its result.</summary>
    public Task<int> ExitCode { get; }

    /// <summary>What it wrote to its error output so far.</summary>
    public string Error => _error.Text;

    /// <summary>Starts a command line with a database.</summary>
    public static RunningCommand Start(string postgres, params string[] args) => new(postgres, args);

    /// <summary>Waits until it has written a text.</summary>
    public async Task SaysAsync(string text)
    {
        var said = _error.SaysAsync(text);
        await Task.WhenAny(said, ExitCode).WaitAsync(Eventually.Timeout);
        Assert.True(_error.Text.Contains(text, StringComparison.Ordinal), $"It did not write '{text}' but: {_error.Text}");
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code and what it wrote.</returns>
    public async Task<CommandLineRun> EndsAsync() =>
        new(await ExitCode.WaitAsync(Eventually.Timeout), _output.ToString(), _error.Text);

    /// <summary>Ends it as Ctrl-C does.</summary>
    public Task<CommandLineRun> StopAsync()
    {
        _ctrlC.Cancel();
        return EndsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _ctrlC.CancelAsync();
        await ((Task)ExitCode).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ctrlC.Dispose();
        await _error.DisposeAsync();
    }

    private sealed class WatchedWriter : StringWriter
    {
        private readonly Lock _lock = new();
        private string _text = "";
        private string? _awaited;
        private TaskCompletionSource _said = new();

        public string Text
        {
            get
            {
                lock (_lock)
                    return _text;
            }
        }

        public Task SaysAsync(string text)
        {
            lock (_lock)
            {
                (_awaited, _said) = (text, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                Signal();
                return _said.Task;
            }
        }

        public override void WriteLine(string? value)
        {
            lock (_lock)
            {
                _text += value + Environment.NewLine;
                Signal();
            }
        }

        private void Signal()
        {
            if (_awaited is not null && _text.Contains(_awaited, StringComparison.Ordinal))
                _said.TrySetResult();
        }
    }
}
