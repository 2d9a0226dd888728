using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sagas.Persistence;

namespace Sagas.Services.Ledger;

/// <summary>Writes outcomes in batches, each with its messages in one transaction, until they are written.</summary>
internal sealed partial class OutcomeWriter(
    LedgerTarget target, IServiceScopeFactory scopes, TimeProvider time, ILogger logger, Action<bool> written)
{
    // More in one transaction adds little to throughput and keeps the first waiting.
    private const int MostAtOnce = 64;

    // Most of a batch's time is spent making its messages, here and in the database: one core is not enough for that.
    private const int Lanes = 4;

    // A row whose own outcome cannot be written is left to a person after this many tries.
    private const int TriesAlone = 5;

    private static readonly TimeSpan _firstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(1);

    private readonly Queue<LedgerOutcome> _queue = new();
    private readonly SemaphoreSlim _added = new(0);
    private volatile bool _complete;
    private int _unwritten;

    /// <summary>Outcomes not written yet.</summary>
    public int Unwritten => Volatile.Read(ref _unwritten);

    /// <summary>Takes an outcome to write.</summary>
    public void Add(LedgerOutcome outcome)
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
        _added.Release(Lanes);
    }

    /// <summary>Writes until <see cref="Complete"/> and everything is written, or until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) =>
        Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => RunLaneAsync(cancellation)));

    private async Task RunLaneAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _added.WaitAsync(cancellation);
            var batch = TakeBatch();
            if (batch.Count == 0 && _complete)
                return;
            if (batch.Count == 0)
                continue;
            var entered = await WriteUntilWrittenAsync(batch, cancellation);
            Interlocked.Add(ref _unwritten, -batch.Count);
            written(entered);
        }
    }

    private List<LedgerOutcome> TakeBatch()
    {
        var batch = new List<LedgerOutcome>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        lock (_queue)
        {
            // A key twice, of a call that outlived its lease and of its successor, would make one statement ambiguous.
            while (batch.Count < MostAtOnce && _queue.TryPeek(out var next) && keys.Add(next.Call.IdempotencyKey))
                batch.Add(_queue.Dequeue());
            if (_queue.Count > 0)
                _added.Release();
        }

        return batch;
    }

    private async Task<bool> WriteUntilWrittenAsync(List<LedgerOutcome> batch, CancellationToken cancellation)
    {
        var alone = 0;
        for (var delay = _firstDelay; ; delay = Longer(delay))
        {
            try
            {
                return await WriteAsync(batch, cancellation);
            }
#pragma warning disable CA1031 // Outcomes are facts: no failure to write them may lose them.
            catch (Exception exception) when (!cancellation.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogWriteFailed(logger, exception, target.Name, batch.Count);
                var ofTheRows = DatabaseFaults.Classify(exception) is DatabaseFault.None or DatabaseFault.InvalidData or DatabaseFault.Duplicate;
                if (ofTheRows && batch.Count > 1)
                {
                    var entered = false;
                    foreach (var outcome in batch)
                        entered |= await WriteUntilWrittenAsync([outcome], cancellation);
                    return entered;
                }

                if (ofTheRows && ++alone == TriesAlone)
                    batch = [Unwritable(batch[0], exception)];
            }

            await Task.Delay(delay, time, cancellation);
        }
    }

    // Says whether calls were entered that are due.
    private async Task<bool> WriteAsync(List<LedgerOutcome> batch, CancellationToken cancellation)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        await using var transaction = await database.Database.BeginTransactionAsync(cancellation);
        var written = await LedgerRows.WriteAsync(database, target.Name, batch, cancellation);
        var mine = batch.Where(outcome => written.Contains(outcome.Call.IdempotencyKey)).ToArray();
        var ended = mine.Select(outcome => outcome.Ended).OfType<LedgerEnded>().ToArray();
        var entered = ended.Length > 0 && await target.ApplyAsync(database, ended, cancellation);
        if (mine.Any(outcome => outcome.Event is not null))
            await PublishAsync(scope.ServiceProvider, database, mine, cancellation);
        await transaction.CommitAsync(cancellation);
        foreach (var outcome in batch)
            Log(outcome, written.Contains(outcome.Call.IdempotencyKey));
        return entered;
    }

    private static async Task PublishAsync(
        IServiceProvider provider, SagasDbContext database, IReadOnlyList<LedgerOutcome> outcomes, CancellationToken cancellation)
    {
        var publisher = provider.GetRequiredService<IPublishEndpoint>();
        // Messages are only added, and nothing else is tracked here: looking for changes each time costs a quarter of all this.
        database.ChangeTracker.AutoDetectChangesEnabled = false;
        foreach (var outcome in outcomes)
        {
            if (outcome.Event is { } message)
                await PublishAsync(publisher, message, outcome.Call, cancellation);
        }

        // Outcomes written together are of different calls and owe each other no order.
        await database.SaveOutboxMessagesAsync(cancellation);
    }

    private static Task PublishAsync(IPublishEndpoint publisher, object message, LedgerCall call, CancellationToken cancellation) =>
        publisher.Publish(
            message,
            message.GetType(),
            Pipe.Execute<PublishContext>(context =>
            {
                context.ConversationId = call.ConversationId ?? context.ConversationId;
                context.CorrelationId = call.CorrelationId ?? context.CorrelationId;
            }),
            cancellation);

    // Not that the effect did not happen: only that its message cannot be written. A person must see that.
    private static LedgerOutcome Unwritable(LedgerOutcome outcome, Exception exception) =>
        LedgerOutcome.Park(
            outcome.Call,
            $"{outcome.State} ({outcome.LastOutcome}), but its message cannot be written: {exception.GetType().Name}",
            mayHaveHappened: outcome.State == LedgerState.Done);

    private static TimeSpan Longer(TimeSpan delay) => delay * 2 < _longestDelay ? delay * 2 : _longestDelay;

    private void Log(LedgerOutcome outcome, bool written)
    {
        if (!written)
            LogSuperseded(logger, target.Name, outcome.Call.IdempotencyKey, outcome.LastOutcome);
        else if (outcome.Untried)
            LogReleased(logger, target.Name, outcome.Call.IdempotencyKey);
        else if (outcome.State is LedgerState.Parked)
            LogParked(logger, target.Name, outcome.Call.IdempotencyKey, outcome.Call.Attempts, outcome.LastOutcome);
        else if (outcome.State is LedgerState.Waiting)
            LogRetry(logger, target.Name, outcome.Call.IdempotencyKey, outcome.Call.Attempts, outcome.Delay, outcome.LastOutcome);
        else
            LogFinished(logger, target.Name, outcome.Call.IdempotencyKey, outcome.State, outcome.Call.Attempts, outcome.LastOutcome);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Call {Key} to {Target} is {State} after {Attempts} attempts: {Outcome}")]
    private static partial void LogFinished(ILogger logger, string target, string key, string state, int attempts, string? outcome);

    // A target that fails a call in twenty would fill the log; the ledger has every attempt's outcome.
    [LoggerMessage(Level = LogLevel.Debug, Message = "Call {Key} to {Target}, attempt {Attempts}, is tried again in {Delay}: {Outcome}")]
    private static partial void LogRetry(ILogger logger, string target, string key, int attempts, TimeSpan? delay, string? outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {Key} to {Target} is parked after {Attempts} attempts and needs a person: {Outcome}")]
    private static partial void LogParked(ILogger logger, string target, string key, int attempts, string? outcome);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Call {Key} to {Target} was claimed and given back untried")]
    private static partial void LogReleased(ILogger logger, string target, string key);

    [LoggerMessage(Level = LogLevel.Information, Message = "Call {Key} to {Target} was taken over by another claim; dropped: {Outcome}")]
    private static partial void LogSuperseded(ILogger logger, string target, string key, string? outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} outcomes of calls to {Target} could not be written; they are kept and written again")]
    private static partial void LogWriteFailed(ILogger logger, Exception exception, string target, int count);
}
