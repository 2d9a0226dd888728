using MassTransit;
using MassTransit.RabbitMqTransport;
using Sagas.Host.Bus;

namespace Sagas.IntegrationTests.Host;

public sealed class LostChannelTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task An_endpoint_that_loses_its_connection_during_setup_starts_again()
    {
        await using var virtualHost = await servers.CreateVirtualHostAsync("lost");
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stranded = new StrandedOnce();
        var bus = MassTransit.Bus.Factory.CreateUsingRabbitMq(configurator =>
        {
            configurator.Host(virtualHost.Uri);
            configurator.ReceiveEndpoint(
                "set-up",
                endpoint =>
                {
                    LostChannelFilter.Use(endpoint);
                    endpoint.ConfigureChannel(channel => channel.UseFilter(stranded));
                    endpoint.Handler<Letter>(_ =>
                    {
                        received.TrySetResult();
                        return Task.CompletedTask;
                    });
                }
            );
        });
        await bus.StartAsync().WaitAsync(Eventually.Timeout);
        await bus.Publish(new Letter());
        await received.Task.WaitAsync(Eventually.Timeout);
        Assert.True(stranded.Happened);
        await bus.StopAsync();
    }

    public sealed record Letter;

    /// <summary>As the client sometimes does when its connection is lost: the call never returns.</summary>
    private sealed class StrandedOnce : IFilter<ChannelContext>
    {
        public bool Happened { get; private set; }

        public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
        {
            if (!Happened)
            {
                Happened = true;
                await context.ConnectionContext.Connection.CloseAsync(320, "test", TimeSpan.FromSeconds(5), abort: true, default);
                await new TaskCompletionSource().Task;
            }
            await next.Send(context);
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("stranded");
    }
}
