namespace Sagas.Persistence;

/// <summary>A saga whose repository is ours; its consumes are wholly transactional.</summary>
/// <param name="Name">MassTransit's short name of the saga's type.</param>
internal sealed record EntityFrameworkSaga(string Name);
