using Sagas.Host.Bus;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Sagas.Host.Logs;

/// <summary>
/// Tells a fault of the surroundings, such as a broker that is away, in one line with its reason instead of a stack trace for each
/// endpoint and message that meets it, and the same line again only after a while. Faults of the code keep their stack.
/// </summary>
/// <param name="output">Where the lines go.</param>
internal sealed class FaultLines(Logger output) : ILogEventSink, IDisposable
{
    /// <summary>How long a line is not repeated.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    // Reasons may name things that differ each time.
    private const int MostKnown = 1000;

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
            output.Write(fault is null && suppressed == 0 ? logEvent : Line(logEvent, fault, suppressed));
    }

    public void Dispose() => output.Dispose();

    // What ends the process keeps its stack, whatever it is.
    private static bool IsOrdinary(LogEvent entry) => entry.Level < LogEventLevel.Fatal && (entry.Exception is { } exception
        ? TransientFaults.Classify(exception) is FaultKind.Transient or FaultKind.Race or FaultKind.Refused
        : entry.Level >= LogEventLevel.Warning);

    private static LogEvent Line(LogEvent entry, string? fault, int suppressed)
    {
        var text = entry.MessageTemplate.Text;
        var properties = entry.Properties.Select(property => new LogEventProperty(property.Key, property.Value)).ToList();
        if (fault is not null)
        {
            text += ": {Fault}";
            properties.Add(new LogEventProperty("Fault", new ScalarValue(fault)));
        }

        if (suppressed > 0)
        {
            text += " ({Suppressed} more like this since the last line)";
            properties.Add(new LogEventProperty("Suppressed", new ScalarValue(suppressed)));
        }

        return new LogEvent(entry.Timestamp, entry.Level, null, _parser.Parse(text), properties, entry.TraceId ?? default, entry.SpanId ?? default);
    }

    // The same event is the same text but for numbers, durations and ids of messages.
    private static string Key(LogEvent entry, string? fault) => string.Join('\n', entry.MessageTemplate.Tokens.OfType<PropertyToken>()
        .Select(token => entry.Properties.GetValueOrDefault(token.PropertyName))
        .Select(value => value is ScalarValue { Value: Guid or TimeSpan or int or long or double } ? "" : value?.ToString())
        .Prepend(entry.MessageTemplate.Text).Append(fault));

    private bool MayWrite(string key, DateTimeOffset now, out int suppressed)
    {
        lock (_written)
        {
            suppressed = 0;
            if (_written.TryGetValue(key, out var last))
            {
                if (now - last.At < Quiet)
                {
                    _written[key] = last with { Suppressed = last.Suppressed + 1 };
                    return false;
                }

                suppressed = last.Suppressed;
            }
            else if (_written.Count >= MostKnown)
                _written.Clear();
            _written[key] = new Written(now, 0);
            return true;
        }
    }

    private readonly record struct Written(DateTimeOffset At, int Suppressed);
}
