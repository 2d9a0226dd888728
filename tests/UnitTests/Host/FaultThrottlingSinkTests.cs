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

    private static Exception BrokerAway() => Thrown(new InvalidOperationException("outer", new SocketException(111)));

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
    public void A_broker_that_is_away_is_one_line_with_the_reason()
    {
        _lines.Emit(
            Event(
                LogEventLevel.Error,
                TimeSpan.Zero,
                BrokerAway(),
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
    public void What_ends_the_process_keeps_its_stack()
    {
        _lines.Emit(Event(LogEventLevel.Fatal, TimeSpan.Zero, BrokerAway(), "Stopping"));
        Assert.Contains(Written, line => line.Contains("at Sagas.UnitTests", StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_fault_of_many_messages_is_told_once_until_a_while_has_passed()
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
                    ("Reason", "away")
                )
            );
        // After 0, 15, 45 seconds; and when it comes back after it was over.
        Assert.Equal(
            [
                "away",
                "away (14 more like this since the last line)",
                "away (29 more like this since the last line)",
                "away (55 more like this since the last line)",
            ],
            Written.Select(line => line.Split("waits: ")[1])
        );
    }

    [Theory]
    [InlineData("Refused {MessageId}: {Reason}", "m-1", "m-2")]
    [InlineData("File {Name}: {Reason}", "a.csv", "b.csv")]
    public void What_happens_to_different_things_is_told_of_each(string template, string first, string second)
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
    public void What_is_no_fault_is_written_as_often_as_it_happens()
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
