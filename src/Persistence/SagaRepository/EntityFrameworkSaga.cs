namespace Sagas.Persistence;

/// <summary>A saga whose repository is ours; its consumes are wholly transactional.</summary>
/// <param name="Name">MassTransit's short name of the saga's type.</param>
/// <param name="SagaType">The saga's type.</param>
/// <param name="ContextType">The context that holds it, as it is registered.</param>
internal sealed record EntityFrameworkSaga(string Name, Type SagaType, Type ContextType);
