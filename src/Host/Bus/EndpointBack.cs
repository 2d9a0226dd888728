using MassTransit;

namespace Sagas.Host.Bus;

/// <summary>Tells the log that an endpoint consumes again after its connection was lost, since MassTransit tells only of the loss.</summary>
internal sealed partial class EndpointBack(ILogger logger) : IReceiveEndpointObserver
{
    private int _ready;

    public Task Ready(ReceiveEndpointReady ready)
    {
        if (Interlocked.Increment(ref _ready) > 1)
            LogBack(logger, ready.InputAddress.AbsolutePath);
        return Task.CompletedTask;
    }

    public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "The broker is back: {Endpoint} consumes again")]
    private static partial void LogBack(ILogger logger, string endpoint);
}
