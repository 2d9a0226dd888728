using System.Globalization;
using Sagas.Host.Logs;
using Sagas.Host.Settings;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace Sagas.UnitTests.Host;

public sealed class LineFormatterTests
{
    [Theory]
    [InlineData("Text")]
    [InlineData("Json")]
    public void No_value_begins_another_line(string format)
    {
        const string name = "a.csv\r\n00:00:00.000 INF Host: forged\u2028forged\u0085forged\u001b[2J";

        var lines = Log(format, logger => logger.Information("File {File} is read: {@Of}", name, new { Name = name }));

        var line = Assert.Single(lines);
        Assert.Contains(@"a.csv\r\n00:00:00.000 INF Host: forged", line);
        Assert.DoesNotContain(line, char.IsControl);
        Assert.DoesNotContain('\u2028', line);
    }

    [Fact]
    public void The_lines_of_an_exception_are_indented()
    {
        var exception = new InvalidOperationException("first\n00:00:00.000 INF Host: forged");

        var lines = Log("Text", logger => logger.Error(exception, "It failed"));

        Assert.EndsWith("It failed", lines[0]);
        Assert.True(lines.Length > 2);
        Assert.All(lines[1..], line => Assert.StartsWith("      ", line));
    }

    [Fact]
    public void An_exception_is_in_the_line_of_JSON() =>
        Assert.Contains(
            "why",
            Assert.Single(Log("Json", logger => logger.Error(new InvalidOperationException("why"), "It failed")))
        );

    private static string[] Log(string format, Action<ILogger> log)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using (
            var logger = new LoggerConfiguration()
                .WriteTo.Sink(new Sink(LogRegistration.Formatter(Enum.Parse<LogFormat>(format)), output))
                .CreateLogger()
        )
            log(logger);
        return output.ToString().TrimEnd('\n').Split('\n');
    }

    private sealed class Sink(ITextFormatter formatter, TextWriter output) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => formatter.Format(logEvent, output);
    }
}
