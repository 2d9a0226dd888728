using MassTransit;

namespace Sagas.Host.Bus;

/// <summary>Logs that an endpoint consumes again after its connection was lost. MassTransit logs only the loss.</summary>
internal sealed partial class EndpointRecoveryObserver(ILogger logger) : IReceiveEndpointObserver
{
    private int _ready;

    public Task Ready(ReceiveEndpointReady ready)
    {
        if (Interlocked.Increment(ref _ready) > 1)
            LogRecovered(logger, ready.InputAddress.AbsolutePath);
        return Task.CompletedTask;
    }

    public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Connection to the broker recovered; {Endpoint} consumes again")]
    private static partial void LogRecovered(ILogger logger, string endpoint);
}
