namespace Sagas.Persistence;

/// <summary>How much a <see cref="BatchingWriter{TItem}"/> writes at a time.</summary>
/// <param name="MaxBatchSize">Items in one batch.</param>
/// <param name="MaxConcurrentBatches">Batches that are written in parallel.</param>
/// <param name="GatherDelay">How long a batch that is not full gathers before it is written.</param>
/// <param name="GathersOnlyUnderLoad">
/// An item that comes alone is written at once: only a batch that follows one of several items gathers.
/// </param>
public sealed record BatchingOptions(
    int MaxBatchSize,
    int MaxConcurrentBatches = 1,
    TimeSpan GatherDelay = default,
    bool GathersOnlyUnderLoad = false
);
