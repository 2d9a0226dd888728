using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>Rejects messages that break the rules before the database is used for them.</summary>
internal sealed class IncomingMessageFilter(MessageRules rules) : IFilter<ConsumeContext>
{
    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        rules.Check(context);
        return next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("messageRules");
}
