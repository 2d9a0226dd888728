using MassTransit;

namespace Sagas.OutboundCalls;

/// <summary>Raises a signal when a message has been consumed. It wraps the whole receive pipeline, so the signal comes after
/// the commit of the consumer's transaction.</summary>
/// <param name="signal">The signal.</param>
public sealed class CallSignalFilter(CallSignal signal) : IFilter<ReceiveContext>
{
    /// <inheritdoc />
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        await next.Send(context);
        signal.Raise();
    }

    /// <inheritdoc />
    public void Probe(ProbeContext context) => context.CreateFilterScope("outboundCallSignal");
}
