using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas;

/// <summary>The clock and the services of state machines.</summary>
public static class BehaviorContextExtensions
{
    /// <summary>The time, UTC, by the container's clock.</summary>
    public static DateTimeOffset Now(this PipeContext context) => context.Service<TimeProvider>().GetUtcNow();

    /// <summary>A service of the scope in which the message is consumed.</summary>
    public static T Service<T>(this PipeContext context)
        where T : notnull => context.GetPayload<IServiceProvider>().GetRequiredService<T>();
}
