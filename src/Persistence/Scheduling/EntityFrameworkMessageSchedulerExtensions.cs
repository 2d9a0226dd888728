using MassTransit;
using MassTransit.Context;
using MassTransit.DependencyInjection;
using MassTransit.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Sagas.Persistence;

/// <summary>Scheduling through the outbox: no broker plugin, in the transaction of the saga's state.</summary>
public static class EntityFrameworkMessageSchedulerExtensions
{
    /// <summary>
    /// Registers <see cref="IMessageScheduler"/>; needs <c>AddEntityFrameworkOutbox</c> with <c>UseBusOutbox</c>. Inside a
    /// consumer with outbox it belongs to that transaction; elsewhere scheduling belongs to the scope's context, and cancelling
    /// is done immediately.
    /// </summary>
    /// <param name="configurator">The bus registration.</param>
    public static void AddEntityFrameworkMessageScheduler(this IBusRegistrationConfigurator configurator) =>
        configurator.TryAddScoped<IMessageScheduler>(provider => new MessageScheduler(
            new OutboxScheduleMessageProvider(
                provider.GetRequiredService<ISendEndpointProvider>(),
                provider.GetRequiredService<IScopedConsumeContextProvider>() is { HasContext: true } consumer
                    ? consumer.GetContext()
                    : null,
                provider
            ),
            provider.GetRequiredService<IBus>().Topology
        ));

    /// <summary>Lets consumers and sagas schedule messages, and <c>UseScheduledRedelivery</c> redeliver them.</summary>
    /// <param name="configurator">The bus.</param>
    /// <param name="context">The container's registrations.</param>
    public static void UseEntityFrameworkMessageScheduler(
        this IBusFactoryConfigurator configurator,
        IBusRegistrationContext context
    ) => configurator.UseFilter(new SchedulerFilter(context));

    private sealed class SchedulerFilter(IServiceProvider provider) : IFilter<ConsumeContext>
    {
        public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
        {
            context.GetOrAddPayload<MessageSchedulerContext>(() => new ConsumeMessageSchedulerContext(context, CreateScheduler));
            return next.Send(context);
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("entityFrameworkScheduler");

        private MessageScheduler CreateScheduler(ConsumeContext context) =>
            new(new OutboxScheduleMessageProvider(context, context, provider), context.GetPayload<IBusTopology>());
    }
}
