using System.Globalization;
using System.Net.Sockets;
using Sagas.Host.Logs;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;
using Serilog.Parsing;

namespace Sagas.UnitTests.Host;

public sealed class FaultThrottlingSinkTests : IDisposable
{
    private static readonly DateTimeOffset _start = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private static readonly MessageTemplateParser _parser = new();

    private readonly StringWriter _output = new(CultureInfo.InvariantCulture);
    private readonly FaultThrottlingSink _lines;

    public FaultThrottlingSinkTests() =>
        _lines = new FaultThrottlingSink(
            new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(new Lines(_output)).CreateLogger()
        );

    public void Dispose()
    {
        _lines.Dispose();
        _output.Dispose();
    }

    private string[] Written =>
        _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static Exception Thrown(Exception exception) => Record.Exception(new Action(() => throw exception))!;

    private static Exception BrokerUnavailable() => Thrown(new InvalidOperationException("outer", new SocketException(111)));

    private static LogEvent Event(
        LogEventLevel level,
        TimeSpan after,
        Exception? exception,
        string template,
        params (string Name, object? Value)[] values
    ) =>
        new(
            _start + after,
            level,
            exception,
            _parser.Parse(template),
            values.Select(value => new LogEventProperty(value.Name, new ScalarValue(value.Value)))
        );

    [Fact]
    public void An_unavailable_broker_is_one_line_with_the_reason()
    {
        _lines.Emit(
            Event(
                LogEventLevel.Error,
                TimeSpan.Zero,
                BrokerUnavailable(),
                "S-FAULT {Address} {Id}",
                ("Address", "x"),
                ("Id", Guid.NewGuid())
            )
        );
        var line = Assert.Single(Written);
        Assert.StartsWith("S-FAULT x", line);
        Assert.EndsWith(new SocketException(111).Message, line);
    }

    [Fact]
    public void A_fault_of_the_code_keeps_its_stack_each_time()
    {
        for (var i = 0; i < 2; i++)
            _lines.Emit(Event(LogEventLevel.Error, TimeSpan.Zero, Thrown(new InvalidOperationException("bug")), "R-FAULT"));
        Assert.Equal(2, Written.Count(line => line == "R-FAULT"));
        Assert.Equal(2, Written.Count(line => line.Contains("at Sagas.UnitTests", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_fatal_error_keeps_its_stack()
    {
        _lines.Emit(Event(LogEventLevel.Fatal, TimeSpan.Zero, BrokerUnavailable(), "Stopping"));
        Assert.Contains(Written, line => line.Contains("at Sagas.UnitTests", StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_fault_of_many_messages_is_logged_once_per_interval()
    {
        foreach (var second in Enumerable.Range(0, 101).Append(200))
            _lines.Emit(
                Event(
                    LogEventLevel.Warning,
                    TimeSpan.FromSeconds(second),
                    null,
                    "Message {MessageId} of {Count} waits: {Reason}",
                    ("MessageId", Guid.NewGuid()),
                    ("Count", second),
                    ("Reason", "unavailable")
                )
            );
        // After 0, 15 and 45 seconds, and when the fault returns after a pause.
        Assert.Equal(
            [
                "unavailable",
                "unavailable (14 more like this since the last line)",
                "unavailable (29 more like this since the last line)",
                "unavailable (55 more like this since the last line)",
            ],
            Written.Select(line => line.Split("waits: ")[1])
        );
    }

    [Theory]
    [InlineData("Rejected {MessageId}: {Reason}", "m-1", "m-2")]
    [InlineData("File {Name}: {Reason}", "a.csv", "b.csv")]
    public void Faults_of_different_messages_or_files_are_each_logged(string template, string first, string second)
    {
        var name = template.Contains("Name", StringComparison.Ordinal) ? "Name" : "MessageId";
        foreach (var value in (string[])[first, second])
            _lines.Emit(Event(LogEventLevel.Warning, TimeSpan.Zero, null, template, (name, value), ("Reason", "bad")));
        Assert.Equal(2, Written.Length);
    }

    [Fact]
    public void A_reason_of_many_lines_is_cut_to_its_first()
    {
        _lines.Emit(
            Event(LogEventLevel.Error, TimeSpan.Zero, null, "Channel closed: {Reason}", ("Reason", "reset\n  at X()\n  at Y()"))
        );
        Assert.Equal(["Channel closed: reset …"], Written);
    }

    [Fact]
    public void Events_without_a_fault_are_always_logged()
    {
        for (var i = 0; i < 3; i++)
            _lines.Emit(Event(LogEventLevel.Information, TimeSpan.Zero, null, "Done"));
        Assert.Equal(3, Written.Length);
    }

    private sealed class Lines(TextWriter output) : ILogEventSink
    {
        private readonly MessageTemplateTextFormatter _format = new(
            "{Message:lj}{NewLine}{Exception}",
            CultureInfo.InvariantCulture
        );

        public void Emit(LogEvent logEvent) => _format.Format(logEvent, output);
    }
}
