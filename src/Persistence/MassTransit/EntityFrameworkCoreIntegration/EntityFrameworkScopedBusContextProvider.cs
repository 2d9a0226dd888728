using MassTransit.DependencyInjection;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Inside a consumer of the bus a scope's endpoints are the consumer's. Outside, and in consumers of a mediator or another bus,
/// they are the bus outbox.
/// </summary>
internal sealed class EntityFrameworkScopedBusContextProvider<TBus, TDbContext>(
    TBus bus,
    TDbContext dbContext,
    Bind<TBus, IClientFactory> clientFactory,
    Bind<TBus, IScopedConsumeContextProvider> busConsumeContext,
    IScopedConsumeContextProvider consumeContext,
    IServiceProvider provider,
    TimeProvider timeProvider
) : IScopedBusContextProvider<TBus>
    where TBus : class, IBus
    where TDbContext : DbContext
{
    public ScopedBusContext Context { get; } =
        busConsumeContext.Value.HasContext
            ? new ConsumeContextScopedBusContext(busConsumeContext.Value.GetContext(), clientFactory.Value)
            : new EntityFrameworkScopedBusContext<TBus, TDbContext>(
                bus,
                dbContext,
                clientFactory.Value,
                provider,
                timeProvider,
                consumeContext.HasContext ? consumeContext.GetContext() : null
            );
}
