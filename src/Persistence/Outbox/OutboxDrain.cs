using MassTransit;
using MassTransit.Transports;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Sagas.Persistence;

/// <summary>
/// Sends what the consumers committed after the last consumer has ended and before the connection closes. MassTransit stops the
/// bus endpoint after the receive endpoints, and waits for observers before it closes the connection.
/// </summary>
internal sealed partial class OutboxDrain : IReceiveEndpointObserver
{
    // Of the time that the bus has to stop: the rest is for closing connections.
    private const double ShareOfStopTimeout = 0.95;

    // Where none is configured.
    private static readonly TimeSpan _defaultStopTimeout = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _timeProvider;
    private readonly TimeSpan _limit;
    private readonly ILogger _logger;
    private readonly List<Func<CancellationToken, Task>> _steps = [];
    private long _stopping;

    public OutboxDrain(IBus bus, IOptions<MassTransitHostOptions> options, TimeProvider timeProvider, ILogger<OutboxDrain> logger)
    {
        (_timeProvider, _logger) = (timeProvider, logger);
        _limit = (options.Value.StopTimeout ?? _defaultStopTimeout) * ShareOfStopTimeout;
        bus.ConnectReceiveEndpointObserver(this);
    }

    /// <summary>Adds work to do before the connection closes, after the work added earlier.</summary>
    public void Add(Func<CancellationToken, Task> step) => _steps.Add(step);

    public Task Ready(ReceiveEndpointReady ready) => Task.CompletedTask;

    public async Task Stopping(ReceiveEndpointStopping stopping)
    {
        Interlocked.CompareExchange(ref _stopping, _timeProvider.GetTimestamp(), 0);
        if (stopping.ReceiveEndpoint is not ReceiveEndpoint { IsBusEndpoint: true })
            return;
        var left = _limit - _timeProvider.GetElapsedTime(_stopping);
        using var limit = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, _timeProvider);
        try
        {
            foreach (var step in _steps)
                await step(limit.Token);
        }
        catch (OperationCanceledException)
        {
            LogNotDrained();
        }
    }

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Stop timeout reached before all messages were sent; "
            + "another process sends the rest, or this one after its next start"
    )]
    private partial void LogNotDrained();
}
