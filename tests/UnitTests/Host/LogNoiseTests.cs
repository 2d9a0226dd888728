using System.Net.Sockets;
using Sagas.Host.Bus;
using Sagas.Host.Logs;
using Serilog.Events;
using Serilog.Parsing;

namespace Sagas.UnitTests.Host;

public sealed class LogNoiseTests
{
    private static bool IsNoise(string text, Exception exception) =>
        LogRegistration.IsNoise(
            new LogEvent(
                DateTimeOffset.UnixEpoch,
                LogEventLevel.Error,
                exception,
                new MessageTemplateParser().Parse(text),
                [new LogEventProperty("SourceContext", new ScalarValue("MassTransit.ReceiveTransport"))]
            )
        );

    [Fact]
    public void A_refused_message_is_told_of_by_its_dead_letter_only() =>
        Assert.True(IsNoise("R-FAULT {InputAddress}", new InvalidMessageException("There is no payment x.")));

    [Theory]
    [InlineData(LogEventLevel.Information, true)]
    [InlineData(LogEventLevel.Warning, false)]
    public void What_only_declares_queues_tells_of_problems_only(LogEventLevel level, bool noise) =>
        Assert.Equal(
            noise,
            LogRegistration.IsNoise(
                new LogEvent(
                    DateTimeOffset.UnixEpoch,
                    level,
                    null,
                    new MessageTemplateParser().Parse("Configured endpoint {Endpoint}"),
                    [new LogEventProperty(TopologyDeployment.OnlyProblems, new ScalarValue(true))]
                )
            )
        );

    [Fact]
    public void A_consumer_that_fails_is_told_of() =>
        Assert.False(IsNoise("R-FAULT {InputAddress}", new InvalidOperationException("bug")));

    [Fact]
    public void Each_endpoint_that_waits_for_the_broker_is_not_told_of_but_the_lost_connection_is()
    {
        Assert.True(IsNoise("Retrying {Delay}: {Message}", new SocketException(111)));
        Assert.False(IsNoise("Connection Failed: {InputAddress}", new SocketException(111)));
        Assert.False(IsNoise("Retrying {Delay}: {Message}", new InvalidOperationException("The queue is of another type.")));
    }
}
