using System.Buffers;
using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;

namespace Sagas.Host.Logs;

/// <summary>
/// Writes each event as one line, so that no value can begin another: line breaks and other control characters in it are
/// escaped. The lines of an exception are indented below.
/// </summary>
/// <param name="events">Writes the event.</param>
/// <param name="exceptions">Whether the exception is written here; otherwise <paramref name="events"/> does.</param>
internal sealed class LineFormatter(ITextFormatter events, bool exceptions) : ITextFormatter
{
    private const string Indent = "      ";

    // U+2028 and U+2029 end a line for some readers of logs.
    private static readonly SearchValues<char> _breaks = SearchValues.Create([
        .. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(char.IsControl),
        '\u2028',
        '\u2029',
    ]);

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        events.Format(logEvent, line);
        WriteLine(line.ToString().AsSpan().TrimEnd("\r\n"), output);
        if (!exceptions || logEvent.Exception is not { } exception)
            return;
        foreach (var part in exception.ToString().AsSpan().EnumerateLines())
        {
            output.Write(Indent);
            WriteLine(part, output);
        }
    }

    private static void WriteLine(ReadOnlySpan<char> line, TextWriter output)
    {
        while (line.IndexOfAny(_breaks) is >= 0 and var position)
        {
            output.Write(line[..position]);
            output.Write(Escape(line[position]));
            line = line[(position + 1)..];
        }

        output.WriteLine(line);
    }

    // As in JSON, in which these characters can only be part of a text.
    private static string Escape(char character) =>
        character switch
        {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
        };
}
