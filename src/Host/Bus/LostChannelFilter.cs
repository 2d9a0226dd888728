using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Sagas.Host.Bus;

/// <summary>
/// Restarts an endpoint whose connection is lost while it declares its queue. Without this, the client leaves some calls
/// waiting for the broker's answer forever, and the endpoint with them.
/// </summary>
/// <remarks>Fixed in clients newer than 7.2 (https://github.com/rabbitmq/rabbitmq-dotnet-client/pull/1987).</remarks>
internal sealed class LostChannelFilter : IFilter<ChannelContext>, IReceiveEndpointObserver
{
    // The code by which MassTransit recognises a closed channel and restarts the endpoint.
    private const ushort ChannelClosed = 491;

    private static readonly TimeSpan _graceTimeout = TimeSpan.FromSeconds(5);

    private volatile bool _consumes;

    /// <summary>Adds the filter to an endpoint.</summary>
    public static void Use(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        var filter = new LostChannelFilter();
        endpoint.ConfigureChannel(channel => channel.UseFilter(filter));
        endpoint.ConnectReceiveEndpointObserver(filter);
    }

    /// <exception cref="OperationInterruptedException">The connection was lost, and the set-up did not end.</exception>
    public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        _consumes = false;
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        AsyncEventHandler<ShutdownEventArgs> lose = (_, _) =>
        {
            lost.TrySetResult();
            return Task.CompletedTask;
        };
        var connection = context.ConnectionContext.Connection;
        context.Channel.ChannelShutdownAsync += lose;
        connection.ConnectionShutdownAsync += lose;
        if (context.Channel.IsClosed)
            lost.TrySetResult();
        try
        {
            await RunAsync(context, next, lost.Task);
        }
        finally
        {
            // The connection outlives a channel that is closed alone.
            if (connection.IsOpen)
                connection.ConnectionShutdownAsync -= lose;
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("lostChannel");

    public Task Ready(ReceiveEndpointReady ready)
    {
        _consumes = true;
        return Task.CompletedTask;
    }

    public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    private async Task RunAsync(ChannelContext context, IPipe<ChannelContext> next, Task lost)
    {
        var running = next.Send(context);
        // Once it consumes, it waits for messages in flight, which has its own timeout.
        if (await Task.WhenAny(running, lost) == lost && !_consumes)
        {
            try
            {
                await running.WaitAsync(_graceTimeout);
            }
            catch (TimeoutException) when (!running.IsCompleted)
            {
                throw new OperationInterruptedException(
                    new ShutdownEventArgs(
                        ShutdownInitiator.Library,
                        ChannelClosed,
                        "The connection was lost while the endpoint was being set up."
                    )
                );
            }
        }

        await running;
    }
}
