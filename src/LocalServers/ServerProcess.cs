using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace Sagas.LocalServers;

/// <summary>One run of a server program, under a watchdog that outlives this process by just long enough to end it.</summary>
/// <remarks>
/// The watchdog is a small shell between this process and the server. It holds the reading end of a pipe of which
/// this process holds the other: a line is the name of a signal for the server, the end of input means that this
/// process is done with the server or dead, however it died; then the server is ended and its directory removed.
/// Linux's parent-death signal would not do: it fires when the parent's <em>thread</em> ends, and .NET starts
/// processes from pool threads, which come and go.
/// </remarks>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string LogFile = "server.log";

    // Job control (set -m) gives the server a process group of its own: Ctrl-C in a terminal then reaches this
    // process alone, which can finish its work before the servers go, and leftovers of the server can be ended
    // as a group. QUIT stops both servers immediately, and lets Postgres release its shared memory, which KILL does not.
    private const string Watchdog = """
        set -m
        directory=$1; shift
        exec >>"$directory/server.log" 2>&1
        "$@" </dev/null &
        server=$!
        trap '' INT TERM HUP QUIT
        {
          while read -r signal; do kill -s "$signal" "$server"; done
          : >"$directory/abandoned"
          kill -s QUIT "$server"
          sleep 5
          kill -s KILL -- "-$server"
        } 2>/dev/null &
        reader=$!
        wait "$server"
        # Stopped (SIGSTOP) is not ended, and wait under job control reports both.
        while kill -s 0 "$server" 2>/dev/null; do sleep 0.2; wait "$server"; done
        { kill -s KILL -- "-$server"; kill -s KILL -- "-$reader"; wait "$reader"; } 2>/dev/null
        if [ -e "$directory/abandoned" ]; then rm -rf -- "$directory"; fi
        exit 0
        """;

    // The garbage collector would close the pipe of an unreachable process and end its server, while callers that kept
    // no more than its address still use it.
    private static readonly ConcurrentDictionary<ServerProcess, bool> _undisposed = [];

    private readonly Process _watchdog;
    private readonly string _logPath;
    private readonly long _logStart;

    private ServerProcess(Process watchdog, string logPath, long logStart)
    {
        _watchdog = watchdog;
        _logPath = logPath;
        _logStart = logStart;
        _undisposed[this] = true;
    }

    public bool HasExited => _watchdog.HasExited;

    /// <summary>Starts the command; its output goes to a log in the directory, which the watchdog removes at the end.</summary>
    public static ServerProcess Start(string directory, IEnumerable<string> command, ServerEnvironment environment)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardInput = true, WorkingDirectory = directory };
        foreach (var argument in (IEnumerable<string>)["-c", Watchdog, "sagas-server", directory, .. command])
            start.ArgumentList.Add(argument);
        environment.ApplyTo(start);

        var logPath = Path.Combine(directory, LogFile);
        var logStart = File.Exists(logPath) ? new FileInfo(logPath).Length : 0;
        return new ServerProcess(Process.Start(start)!, logPath, logStart);
    }

    /// <summary>Sends a signal (<c>INT</c>, <c>TERM</c>, <c>KILL</c> …) to the server and waits until it has ended.</summary>
    public async Task EndAsync(string signal, CancellationToken cancellationToken)
    {
        try
        {
            await _watchdog.StandardInput.WriteLineAsync(signal.AsMemory(), cancellationToken);
            await _watchdog.StandardInput.FlushAsync(cancellationToken);
        }
        catch (IOException)
        {
            // It has ended: nothing reads the signal.
        }

        await _watchdog.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Awaits the probe until it answers true.</summary>
    /// <exception cref="ServerStartException">The server ended, or was not ready in time.</exception>
    public async Task WaitUntilReadyAsync(
        string name,
        Func<CancellationToken, Task<bool>> probe,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (HasExited)
                throw new ServerStartException(
                    $"{name} ended while starting. The end of its log:{Environment.NewLine}{LogOfThisRun(4000)}",
                    SaysPortTaken()
                );
            if (await probe(cancellationToken) && !HasExited)
                return;
            if (Stopwatch.GetElapsedTime(started) > patience)
                throw new ServerStartException(
                    $"{name} was not ready after {patience.TotalSeconds:0} s. The end of its log:{Environment.NewLine}"
                        + LogOfThisRun(4000),
                    false
                );
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Ends the server immediately and removes its directory.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _watchdog.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        await _watchdog.WaitForExitAsync();
        _watchdog.Dispose();
        _undisposed.TryRemove(this, out _);
    }

    public bool LogOfThisRunContains(string text) =>
        LogOfThisRun(int.MaxValue).Contains(text, StringComparison.OrdinalIgnoreCase);

    private bool SaysPortTaken() =>
        LogOfThisRunContains("address already in use")
        || LogOfThisRunContains("eaddrinuse")
        || LogOfThisRunContains("port is in use")
        || LogOfThisRunContains("in use by another");

    private string LogOfThisRun(int lastCharacters)
    {
        if (!File.Exists(_logPath))
            return "(empty)";

        using var file = new FileStream(_logPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Position = Math.Min(_logStart, file.Length);
        using var reader = new StreamReader(file, Encoding.UTF8);
        var log = reader.ReadToEnd();
        return log.Length > lastCharacters ? log[^lastCharacters..] : log;
    }
}
