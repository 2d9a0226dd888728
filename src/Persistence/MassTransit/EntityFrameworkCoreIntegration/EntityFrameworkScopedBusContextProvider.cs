using MassTransit.DependencyInjection;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Inside a consumer a scope's endpoints are the consumer's, outside they are the bus outbox.</summary>
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
        : consumeContext.HasContext
            ? new ConsumeContextScopedBusContext<TBus>(bus, consumeContext.GetContext(), clientFactory.Value, provider)
        : new EntityFrameworkScopedBusContext<TBus, TDbContext>(bus, dbContext, clientFactory.Value, provider, timeProvider);
}
