using Sagas.Host.Bus;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Sagas.Host.Logs;

/// <summary>
/// Writes an infrastructure failure, such as an unavailable broker, as one line with its reason instead of a stack trace per
/// endpoint and message. The same line is repeated only after an interval that doubles each time. Faults of the code keep
/// their stack.
/// </summary>
/// <param name="output">Where the lines go.</param>
internal sealed class FaultThrottlingSink(Logger output) : ILogEventSink, IDisposable
{
    // How long a line is not repeated. A fault that has not occurred for as long is written immediately when it recurs.
    private static readonly TimeSpan _minQuiet = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _maxQuiet = TimeSpan.FromMinutes(16);

    // Reasons may name things that differ each time.
    private const int MaxKnown = 1000;

    private static readonly MessageTemplateParser _parser = new();

    private readonly Dictionary<string, Written> _written = [];

    public void Emit(LogEvent logEvent)
    {
        if (!IsOrdinary(logEvent))
        {
            output.Write(logEvent);
            return;
        }

        var fault = logEvent.Exception?.GetBaseException().Message;
        if (MayWrite(Key(logEvent, fault), logEvent.Timestamp, out var suppressed))
            output.Write(Line(logEvent, fault, suppressed));
    }

    public void Dispose() => output.Dispose();

    // Failures that end the process keep their stack trace.
    private static bool IsOrdinary(LogEvent entry) =>
        entry.Level < LogEventLevel.Fatal
        && (
            entry.Exception is { } exception
                ? TransientFaults.Classify(exception) is FaultKind.Transient or FaultKind.Race or FaultKind.InvalidMessage
                : entry.Level >= LogEventLevel.Warning
        );

    private static LogEvent Line(LogEvent entry, string? fault, int suppressed)
    {
        var text = entry.MessageTemplate.Text;
        var properties = entry
            .Properties.Select(property => new LogEventProperty(property.Key, FirstLine(property.Value)))
            .ToList();
        if (fault is not null)
        {
            text += ": {Fault}";
            properties.Add(new LogEventProperty("Fault", FirstLine(new ScalarValue(fault))));
        }

        if (suppressed > 0)
        {
            text += " ({Suppressed} more like this since the last line)";
            properties.Add(new LogEventProperty("Suppressed", new ScalarValue(suppressed)));
        }

        return new LogEvent(
            entry.Timestamp,
            entry.Level,
            null,
            _parser.Parse(text),
            properties,
            entry.TraceId ?? default,
            entry.SpanId ?? default
        );
    }

    // RabbitMQ's client quotes the stack of what closed a channel.
    private static LogEventPropertyValue FirstLine(LogEventPropertyValue value) =>
        value is ScalarValue { Value: string text } && text.IndexOfAny(['\r', '\n']) is >= 0 and var end
            ? new ScalarValue(text[..end] + " …")
            : value;

    // The same event is the same text but for numbers, durations and ids of messages.
    private static string Key(LogEvent entry, string? fault) =>
        string.Join(
            '\n',
            entry
                .MessageTemplate.Tokens.OfType<PropertyToken>()
                .Select(token => entry.Properties.GetValueOrDefault(token.PropertyName))
                .Select(value =>
                    value is ScalarValue { Value: Guid or TimeSpan or int or long or double } ? "" : value?.ToString()
                )
                .Prepend(entry.MessageTemplate.Text)
                .Append(fault)
        );

    private bool MayWrite(string key, DateTimeOffset now, out int suppressed)
    {
        lock (_written)
        {
            suppressed = 0;
            var quiet = _minQuiet;
            if (_written.TryGetValue(key, out var last))
            {
                var continues = now - last.Seen < _minQuiet;
                if (continues && now - last.At < last.Quiet)
                {
                    _written[key] = last with { Seen = now, Suppressed = last.Suppressed + 1 };
                    return false;
                }

                suppressed = last.Suppressed;
                if (continues)
                    quiet = last.Quiet < _maxQuiet ? last.Quiet * 2 : _maxQuiet;
            }
            else if (_written.Count >= MaxKnown)
                _written.Clear();
            _written[key] = new Written(now, now, quiet, 0);
            return true;
        }
    }

    private readonly record struct Written(DateTimeOffset At, DateTimeOffset Seen, TimeSpan Quiet, int Suppressed);
}
