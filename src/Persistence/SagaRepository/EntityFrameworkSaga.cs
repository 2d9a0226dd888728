using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;

namespace Sagas.Persistence;

/// <summary>A saga whose repository is ours; its consumes are wholly transactional.</summary>
/// <param name="Name">MassTransit's short name of the saga's type.</param>
/// <param name="SagaType">The saga's type.</param>
/// <param name="Contexts">Gets the source of its contexts from a scope.</param>
internal sealed record EntityFrameworkSaga(
    string Name,
    Type SagaType,
    Func<IServiceProvider, ISagaDbContextFactory<ISaga>> Contexts
);
