using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sagas.Persistence;

namespace Sagas.OutboundCalls;

/// <summary>Writes outcomes in batches, each with its messages in one transaction, until they are written.</summary>
/// <remarks>
/// Not a <see cref="BatchingWriter{TItem}"/>, whose callers wait and learn of failures: an outcome is retried here, and no batch
/// may have a key twice.
/// </remarks>
internal sealed partial class OutcomeWriter(
    CallTarget target,
    IServiceScopeFactory scopes,
    TimeProvider timeProvider,
    ILogger logger,
    Action<bool> written
)
{
    // A larger transaction adds little to throughput and delays the first outcome.
    private const int MaxBatch = 64;

    // Most of a batch's time is spent on its messages, here and in the database: more than one core can be used.
    private const int Writers = 4;

    // A call whose own outcome cannot be written is parked after this many tries.
    private const int MaxTriesAlone = 5;

    private static readonly TimeSpan _minDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _maxDelay = TimeSpan.FromSeconds(1);

    private readonly Queue<CallUpdate> _queue = new();
    private readonly SemaphoreSlim _added = new(0);
    private volatile bool _complete;
    private int _unwritten;

    /// <summary>Outcomes not written yet.</summary>
    public int Unwritten => Volatile.Read(ref _unwritten);

    /// <summary>Adds an outcome to write.</summary>
    public void Add(CallUpdate outcome)
    {
        Interlocked.Increment(ref _unwritten);
        lock (_queue)
            _queue.Enqueue(outcome);
        _added.Release();
    }

    /// <summary>No more outcomes come.</summary>
    public void Complete()
    {
        _complete = true;
        _added.Release(Writers);
    }

    /// <summary>Writes until <see cref="Complete"/> and everything is written, or until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => RunWriterAsync(cancellationToken)));

    private async Task RunWriterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _added.WaitAsync(cancellationToken);
            var batch = TakeBatch();
            if (batch.Count == 0 && _complete)
                return;
            if (batch.Count == 0)
                continue;
            var enqueued = await WriteUntilWrittenAsync(batch, cancellationToken);
            Interlocked.Add(ref _unwritten, -batch.Count);
            written(enqueued);
        }
    }

    private List<CallUpdate> TakeBatch()
    {
        var batch = new List<CallUpdate>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        lock (_queue)
        {
            // A key twice (a call that outlived its lease, and its successor) would make the statement ambiguous.
            while (batch.Count < MaxBatch && _queue.TryPeek(out var next) && keys.Add(next.Call.IdempotencyKey))
                batch.Add(_queue.Dequeue());
            if (_queue.Count > 0)
                _added.Release();
        }

        return batch;
    }

    private async Task<bool> WriteUntilWrittenAsync(List<CallUpdate> batch, CancellationToken cancellationToken)
    {
        var alone = 0;
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await WriteAsync(batch, cancellationToken);
            }
#pragma warning disable CA1031 // Outcomes are facts and must not be lost, whatever fails.
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogWriteFailed(logger, exception, target.Name, batch.Count);
                var ofTheRows =
                    DatabaseFaults.Classify(exception)
                    is DatabaseFault.None
                        or DatabaseFault.InvalidData
                        or DatabaseFault.Duplicate;
                if (ofTheRows && batch.Count > 1)
                {
                    var enqueued = false;
                    foreach (var outcome in batch)
                        enqueued |= await WriteUntilWrittenAsync([outcome], cancellationToken);
                    return enqueued;
                }

                if (ofTheRows && ++alone == MaxTriesAlone)
                    batch = [Unwritable(batch[0], exception)];
            }

            await Task.Delay(Backoff.Exponential(_minDelay, _maxDelay, failures), timeProvider, cancellationToken);
        }
    }

    // Returns whether calls were enqueued that are due.
    private async Task<bool> WriteAsync(List<CallUpdate> batch, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DbContext>();
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        var keys = await CallStore.WriteAsync(database, target.Name, batch, cancellationToken);
        var mine = batch.Where(outcome => keys.Contains(outcome.Call.IdempotencyKey)).ToArray();
        var completed = mine.Select(outcome => outcome.Completed).OfType<CompletedCall>().ToArray();
        var enqueued = completed.Length > 0 && await target.ApplyAsync(database, completed, cancellationToken);
        if (mine.Any(outcome => outcome.Event is not null))
            await PublishAsync(scope.ServiceProvider, database, mine, cancellationToken);
        await scope.ServiceProvider.GetRequiredService<OutboxCommit>().CommitAsync(database, cancellationToken);
        foreach (var outcome in batch)
            Log(outcome, keys.Contains(outcome.Call.IdempotencyKey));
        return enqueued;
    }

    private static async Task PublishAsync(
        IServiceProvider provider,
        DbContext database,
        IReadOnlyList<CallUpdate> outcomes,
        CancellationToken cancellationToken
    )
    {
        var publisher = provider.GetRequiredService<IPublishEndpoint>();
        // Messages are only added and nothing else is tracked: detecting changes each time costs a quarter of all this.
        database.ChangeTracker.AutoDetectChangesEnabled = false;
        foreach (var outcome in outcomes)
        {
            if (outcome.Event is { } message)
                await PublishAsync(publisher, message, outcome.Call, cancellationToken);
        }
    }

    private static Task PublishAsync(
        IPublishEndpoint publisher,
        object message,
        OutboundCall call,
        CancellationToken cancellationToken
    ) =>
        publisher.Publish(
            message,
            message.GetType(),
            Pipe.Execute<PublishContext>(context =>
            {
                context.ConversationId = call.ConversationId ?? context.ConversationId;
                context.CorrelationId = call.CorrelationId ?? context.CorrelationId;
            }),
            cancellationToken
        );

    // The call may well have had its effect: only its message cannot be written. An operator must see that.
    private static CallUpdate Unwritable(CallUpdate outcome, Exception exception) =>
        CallUpdate.Park(
            outcome.Call,
            $"{outcome.State} ({outcome.Description}), but the outcome cannot be written: {exception.GetType().Name}",
            outcomeUnknown: outcome.State == CallState.Done
        );

    private void Log(CallUpdate outcome, bool written)
    {
        if (!written)
            LogSuperseded(logger, target.Name, outcome.Call.IdempotencyKey, outcome.Description);
        else if (outcome.IsRelease)
            LogReleased(logger, target.Name, outcome.Call.IdempotencyKey);
        else if (outcome.State is CallState.Parked)
            LogParked(logger, target.Name, outcome.Call.IdempotencyKey, outcome.Call.Attempts, outcome.Description);
        else if (outcome.State is CallState.Waiting)
            LogRetry(logger, target.Name, outcome.Call.IdempotencyKey, outcome.Call.Attempts, outcome.Delay, outcome.Description);
        else
            LogFinished(
                logger,
                target.Name,
                outcome.Call.IdempotencyKey,
                outcome.State,
                outcome.Call.Attempts,
                outcome.Description
            );
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Call {Key} to {Target} is {State} after {Attempts} attempts: {Outcome}")]
    private static partial void LogFinished(
        ILogger logger,
        string target,
        string key,
        string state,
        int attempts,
        string? outcome
    );

    // A target that fails one call in twenty would fill the log.
    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Attempt {Attempts} of call {Key} to {Target} failed; retry in {Delay}: {Outcome}"
    )]
    private static partial void LogRetry(
        ILogger logger,
        string target,
        string key,
        int attempts,
        TimeSpan? delay,
        string? outcome
    );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Call {Key} to {Target} is parked after {Attempts} attempts until an operator retries it: {Outcome}"
    )]
    private static partial void LogParked(ILogger logger, string target, string key, int attempts, string? outcome);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Call {Key} to {Target} was claimed and released without an attempt")]
    private static partial void LogReleased(ILogger logger, string target, string key);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Call {Key} to {Target} was taken over by another claim; this outcome is dropped: {Outcome}"
    )]
    private static partial void LogSuperseded(ILogger logger, string target, string key, string? outcome);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Writing {Count} outcomes of calls to {Target} failed; retrying until it succeeds"
    )]
    private static partial void LogWriteFailed(ILogger logger, Exception exception, string target, int count);
}
