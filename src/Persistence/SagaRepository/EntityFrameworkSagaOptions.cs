using System.Data;

namespace Sagas.Persistence;

internal sealed class EntityFrameworkSagaOptions
{
    public IsolationLevel IsolationLevel { get; set; } = IsolationLevel.ReadCommitted;
}
