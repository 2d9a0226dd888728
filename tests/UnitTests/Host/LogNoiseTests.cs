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
    public void The_fault_of_an_invalid_message_is_noise() =>
        Assert.True(IsNoise("R-FAULT {InputAddress}", new InvalidMessageException("There is no payment x.")));

    [Theory]
    [InlineData(LogEventLevel.Information, true)]
    [InlineData(LogEventLevel.Warning, false)]
    public void The_bus_that_declares_queues_logs_problems_only(LogEventLevel level, bool noise) =>
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
    public void A_failing_consumer_is_logged() =>
        Assert.False(IsNoise("R-FAULT {InputAddress}", new InvalidOperationException("bug")));

    [Fact]
    public void Endpoints_that_wait_for_the_broker_are_noise_and_the_lost_connection_is_logged()
    {
        Assert.True(IsNoise("Retrying {Delay}: {Message}", new SocketException(111)));
        Assert.False(IsNoise("Connection Failed: {InputAddress}", new SocketException(111)));
        Assert.False(IsNoise("Retrying {Delay}: {Message}", new InvalidOperationException("The queue is of another type.")));
    }
}
