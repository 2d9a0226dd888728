using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>Stops what breaks the rules before anything is read from or written to the database for it.</summary>
internal sealed class IncomingMessageFilter(MessageRules rules) : IFilter<ConsumeContext>
{
    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        rules.Check(context);
        return next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("messageRules");
}
