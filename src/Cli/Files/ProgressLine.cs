using System.Diagnostics;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.FileIntake;

namespace Sagas.Cli.Files;

/// <summary>The progress of a file: one line that is rewritten in a terminal, a new line every few seconds elsewhere.</summary>
internal sealed class ProgressLine(Terminal terminal, bool json, string name) : IDisposable
{
    private const int BarLength = 24;

    private static readonly TimeSpan _lineInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _lastLine = Stopwatch.GetTimestamp();
    private FileProgress? _first;
    private bool _written;

    private bool Rewrites => terminal.Interactive && !json;

    /// <summary>Shows progress.</summary>
    public void Show(FileProgress progress)
    {
        lock (_lock)
        {
            _first ??= progress;
            if (Rewrites)
            {
                terminal.Output.Write($"\r{Text(progress)}\u001B[K");
                _written = true;
            }
            else if (Stopwatch.GetElapsedTime(_lastLine) >= _lineInterval)
            {
                _lastLine = Stopwatch.GetTimestamp();
                terminal.Error.WriteLine(Text(progress));
            }
        }
    }

    /// <summary>Writes a sentence; progress follows.</summary>
    public void Interrupt(string sentence)
    {
        lock (_lock)
        {
            Clear();
            terminal.Error.WriteLine(Format.Clean(sentence));
        }
    }

    /// <summary>Writes the outcome in place of the progress.</summary>
    public void End(string sentence)
    {
        lock (_lock)
        {
            Clear();
            (json ? terminal.Error : terminal.Output).WriteLine(Format.Clean(sentence));
        }
    }

    public void Dispose()
    {
        // An error follows, on a line of its own.
        if (_written)
            terminal.Output.WriteLine();
    }

    private void Clear()
    {
        if (_written)
            terminal.Output.Write("\r\u001B[K");
        _written = false;
    }

    private string Text(FileProgress progress)
    {
        var elapsed = Stopwatch.GetElapsedTime(_start);
        // Rows of an earlier run do not count for the rate of this one.
        var first = _first!.Value;
        var rows = progress.Counts.Rows - first.Counts.Rows;
        var rate = Format.PerSecond(rows, elapsed.TotalSeconds) is { } perSecond ? $"{perSecond}/s  " : "";
        var full = (int)Math.Round(progress.Fraction * BarLength);
        var bar = new string('█', full) + new string('░', BarLength - full);
        var done = progress.Fraction - first.Fraction;
        var left = done > 0 ? TimeSpan.FromSeconds(elapsed.TotalSeconds * (1 - progress.Fraction) / done) : (TimeSpan?)null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Format.Clean(name)} {bar} {progress.Fraction, 4:P0}  {progress.Counts.Rows:N0} rows  {rate}"
                + $"{progress.Counts.Rejected:N0} rejected  {Eta(left)}"
        );
    }

    private static string Eta(TimeSpan? left) =>
        left is not { } time ? ""
        : time < TimeSpan.FromHours(1) ? $"{time:m\\:ss} left"
        : $"{time:h\\:mm\\:ss} left";
}
