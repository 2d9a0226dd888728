using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Sagas.Host.Bus;

/// <summary>
/// Lets an endpoint begin again when its connection is lost while it declares its queue. The client then leaves some of what waits
/// for the broker's answer waiting for ever, and the endpoint with it.
/// </summary>
/// <remarks>Mended in clients that are newer than 7.2 (https://github.com/rabbitmq/rabbitmq-dotnet-client/pull/1987).</remarks>
internal sealed class LostChannelFilter : IFilter<ChannelContext>, IReceiveEndpointObserver
{
    // What MassTransit says when a channel is closed: it begins again then.
    private const ushort ChannelClosed = 491;

    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(5);

    private volatile bool _consumes;

    /// <summary>Adds the filter to an endpoint.</summary>
    public static void Use(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        var filter = new LostChannelFilter();
        endpoint.ConfigureChannel(channel => channel.UseFilter(filter));
        endpoint.ConnectReceiveEndpointObserver(filter);
    }

    /// <exception cref="OperationInterruptedException">The connection was lost, and what was under way did not end.</exception>
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
            // The connection outlives channels that are closed for a reason of their own.
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
        // Once it consumes, what it waits for is the end of the messages in hand, which has a time limit of its own.
        if (await Task.WhenAny(running, lost) == lost && !_consumes)
        {
            try
            {
                await running.WaitAsync(_grace);
            }
            catch (TimeoutException) when (!running.IsCompleted)
            {
                throw new OperationInterruptedException(new ShutdownEventArgs(ShutdownInitiator.Library, ChannelClosed, "The connection was lost while the endpoint was being set up."));
            }
        }

        await running;
    }
}
