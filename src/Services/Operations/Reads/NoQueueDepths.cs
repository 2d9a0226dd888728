namespace Sagas.Services.Operations.Reads;

/// <summary>The queues of the transport in memory, which cannot be asked.</summary>
public sealed class NoQueueDepths : IQueueDepths
{
    public Task<IReadOnlyList<QueueDepth>> ReadAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<QueueDepth>>([]);
}
