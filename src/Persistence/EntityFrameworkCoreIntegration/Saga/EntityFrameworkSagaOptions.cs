using System.Data;

namespace MassTransit.EntityFrameworkCoreIntegration.Saga;

internal sealed class EntityFrameworkSagaOptions
{
    public IsolationLevel IsolationLevel { get; set; } = IsolationLevel.ReadCommitted;
}
