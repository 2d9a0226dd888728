using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>Fetches an object's status and stores the answer. Requests for the same object at the same time or shortly after
/// share both.</summary>
internal sealed class ObjectStatusFetcher(
    StatusApiGate gate,
    LastSeenWriter writer,
    IOptions<ObjectStatusOptions> options,
    TimeProvider timeProvider,
    ObjectStatusMetrics metrics
)
{
    private readonly ConcurrentDictionary<string, Shared> _shared = new(StringComparer.Ordinal);

    // In the order of their end, so that the oldest are at the front.
    private readonly ConcurrentQueue<Shared> _ended = new();

    /// <summary>How many objects share an answer or a call now.</summary>
    internal int Count => _shared.Count;

    /// <summary>Observes an object.</summary>
    /// <param name="id">The object.</param>
    /// <returns>The answer, committed where there was anything to commit.</returns>
    /// <exception cref="OperationCanceledException">The process stops.</exception>
    public Task<StatusAnswer> ObserveAsync(string id)
    {
        while (true)
        {
            var mine = new Shared(id);
            var shared = _shared.GetOrAdd(id, mine);
            if (shared == mine)
            {
                _ = RunAsync(mine);
                return mine.Answer.Task;
            }

            if (!IsStale(shared))
            {
                metrics.WasShared();
                return shared.Answer.Task;
            }

            _shared.TryRemove(new(id, shared));
        }
    }

    private async Task RunAsync(Shared shared)
    {
        try
        {
            var answer = await gate.AskAsync(shared.Id);
            if (answer.Kind == StatusKind.Online)
                await writer.WriteAsync(shared.Id, answer.At);
            End(shared, answer.Kind is StatusKind.Online or StatusKind.Offline);
            shared.Answer.SetResult(answer);
        }
        catch (Exception exception)
        {
            // All who share it get the exception, and their messages are delivered again.
            End(shared, isFresh: false);
            shared.Answer.SetException(exception);
        }
    }

    private void End(Shared shared, bool isFresh)
    {
        if (isFresh && options.Value.CacheDuration > TimeSpan.Zero)
        {
            shared.EndedAt = timeProvider.GetTimestamp();
            _ended.Enqueue(shared);
        }
        else
        {
            _shared.TryRemove(new(shared.Id, shared));
        }

        while (_ended.TryPeek(out var oldest) && IsStale(oldest) && _ended.TryDequeue(out oldest))
            _shared.TryRemove(new(oldest.Id, oldest));
    }

    private bool IsStale(Shared shared) =>
        shared.EndedAt is var ended and not 0 && timeProvider.GetElapsedTime(ended) >= options.Value.CacheDuration;

    private sealed class Shared(string id)
    {
        public string Id => id;

        public TaskCompletionSource<StatusAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>When the answer was committed; 0: not yet.</summary>
        public long EndedAt { get; set; }
    }
}
