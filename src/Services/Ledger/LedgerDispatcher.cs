using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sagas.Services.Ledger;

/// <summary>Makes the calls to one target: claims due rows, sends them, has the outcomes written.</summary>
internal sealed partial class LedgerDispatcher : BackgroundService
{
    // Claiming waits while the database does not keep up with outcomes: their leases must not end before they are written.
    private const int MostUnwritten = 512;

    private static readonly TimeSpan _longestClaimDelay = TimeSpan.FromSeconds(1);

    // For a refusal that does not say how long.
    private static readonly TimeSpan _unsaidPause = TimeSpan.FromSeconds(1);

    private readonly LedgerTarget _target;
    private readonly LedgerOptions _options;
    private readonly LedgerSignal _signal;
    private readonly IServiceScopeFactory _scopes;
    private readonly LedgerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LedgerCaller _caller;
    private readonly TargetGate _gate;
    private readonly CallPool _pool;
    private readonly OutcomeWriter _writer;
    private readonly CallSlots? _slots;
    private readonly CancellationTokenSource _abandon = new();
    private readonly CancellationToken _abandoned;
    private Guid? _lostClaim;
    private volatile bool _moreDue;

    public LedgerDispatcher(
        LedgerTarget target,
        LedgerSignal signal,
        IServiceScopeFactory scopes,
        IHttpClientFactory clients,
        LedgerMetrics metrics,
        LedgerStatus status,
        TimeProvider time,
        ILogger<LedgerDispatcher> logger)
    {
        (_target, _options, _signal, _scopes, _metrics, _time, _logger) = (target, target.Options, signal, scopes, metrics, time, logger);
        _abandoned = _abandon.Token;
        _caller = new(target, clients, time);
        _slots = target.Limit is { } limit ? new(target.Name, limit, Lease, scopes, time) : null;
        _gate = new(_options, time, wait => LogBreakerOpened(logger, target.Name, wait), () => LogBreakerClosed(logger, target.Name), _slots);
        _pool = new(_gate, target.BatchSize, RunAsync, LookAgain, time);
        _writer = new(target, scopes, time, logger, Written);
        status.Add(target.Name, Status);
    }

    /// <summary>How this process sees the target.</summary>
    public LedgerTargetStatus Status() =>
        new(_target.Name, _gate.Breaker.ToString(), _gate.AdaptedLimit, _pool.Running, _gate.Blocked, _writer.Unwritten);

    /// <summary>Stops claiming, lets calls in flight end and their outcomes be written.</summary>
    /// <param name="cancellationToken">The end of the grace period: what is still in flight then is abandoned, and resolved
    /// by its mode when the lease has passed.</param>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (cancellationToken.IsCancellationRequested)
            await _abandon.CancelAsync();
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _abandon.Dispose();
        _pool.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var writing = _writer.RunAsync(_abandoned);
        try
        {
            await ClaimAsync(stoppingToken);
            Release(_pool.Close());
            await _pool.IdleAsync().WaitAsync(_abandoned);
            _writer.Complete();
            await writing;
            if (_slots is not null)
                await LeaveAsync(_slots);
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            LogAbandoned(_logger, _target.Name, _pool.Running, _writer.Unwritten);
        }
    }

    private async Task ClaimAsync(CancellationToken stopping)
    {
        var failures = 0;
        while (!stopping.IsCancellationRequested)
        {
            Release(_pool.TakeBlocked());
            var wait = _options.PollInterval;
            try
            {
                // Without room nobody knows what is due: whatever makes room has to have it looked for. Said before the
                // room is read, lest room be made in between and nobody look.
                _moreDue = true;
                var room = _writer.Unwritten < MostUnwritten ? _pool.Room() : 0;
                if (_slots is not null)
                {
                    room = await _slots.TakeAsync(room, _pool.Running, _abandoned);
                    _moreDue = _slots.AnythingDue;
                    if (_slots.AskIn > TimeSpan.Zero)
                        wait = _slots.AskIn;
                }

                if (room > 0)
                {
                    _moreDue = await ClaimAsync(room) == room;
                    failures = 0;
                    if (_moreDue)
                        continue;
                }
            }
#pragma warning disable CA1031 // The database may be away for any reason; claiming goes on when it is back.
            catch (Exception exception) when (!_abandoned.IsCancellationRequested)
#pragma warning restore CA1031
            {
                if (failures++ == 0)
                    LogClaimFailed(_logger, exception, _target.Name);
                wait = Shorter(_options.PollInterval * Math.Pow(2, Math.Min(failures, 10)), _longestClaimDelay);
            }

            try
            {
                await _signal.WaitAsync(wait, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Written(bool entered)
    {
        if (entered)
            _signal.Raise();
        else
            LookAgain();
    }

    // There is room. Without more due nothing is left to claim, and what has come since has raised the signal.
    private void LookAgain()
    {
        if (_moreDue)
            _signal.Raise();
    }

    private async Task<int> ClaimAsync(int room)
    {
        await using var scope = _scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        if (_lostClaim is { } lost)
            await LedgerRows.ForgetAsync(database, _target.Name, lost, _abandoned);
        var claim = Guid.NewGuid();
        _lostClaim = claim;
        // Not cancelled by an orderly stop: a claim cut off there may have been committed, and nobody would know.
        var calls = await LedgerRows.ClaimAsync(
            database, _target.Name, room, claim, _time.GetTimestamp(), Lease, _abandoned);
        _lostClaim = null;
        _pool.Add(_slots?.Assign(calls) ?? calls);
        return calls.Count;
    }

    // Time for the call, for the lookup before it, and for waiting for its turn. It runs to its end even when the process is
    // known to be dead: what that sent may still be at work at the target, where a lookup would not find it yet.
    private TimeSpan Lease => (_options.CallTimeout * (_target.Mode == LedgerMode.Lookup ? 2 : 1)) + _options.LeaseMargin;

    private async Task RunAsync(IReadOnlyList<LedgerCall> claimed)
    {
        var calls = new List<LedgerCall>(claimed.Count);
        foreach (var call in claimed)
        {
            if (call is { MayHaveHappened: true, Mode: LedgerMode.AtMostOnce })
                _writer.Add(LedgerOutcome.Park(call, "abandoned in flight by a process that ended; it may have happened", true));
            else if (_time.GetElapsedTime(call.ClaimedAt) > _options.LeaseMargin / 2)
                _writer.Add(LedgerOutcome.Release(call));
            else
                calls.Add(call);
        }

        if (calls.Count == 0)
            return;
        try
        {
            foreach (var outcome in await CallAsync(calls))
                _writer.Add(outcome);
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The rows stay in flight, as if the process had been killed.
        }
#pragma warning disable CA1031 // A defect here must cost the calls' attempt, not the dispatcher.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogDefect(_logger, exception, _target.Name, calls[0].IdempotencyKey);
            var unknown = LedgerVerdict.Unknown($"defect: {exception.GetType().Name}");
            foreach (var call in calls)
                _writer.Add(Decide(call, unknown));
        }
    }

    private async ValueTask<IReadOnlyList<LedgerOutcome>> CallAsync(List<LedgerCall> calls)
    {
        var started = _time.GetTimestamp();
        var result = await _gate.RunAsync(token => _caller.CallAsync(calls, token), () => _pool.Running, _abandoned);
        if (result is null)
            return [.. calls.Select(LedgerOutcome.Release)];
        var took = _time.GetElapsedTime(started);
        var outcomes = new List<LedgerOutcome>(calls.Count);
        for (var index = 0; index < calls.Count; index++)
        {
            var verdict = result.Each?[index] ?? result.Verdict;
            _metrics.Called(_target.Name, verdict.Kind, took);
            outcomes.Add(_slots is not null && (result.Health == CallHealth.Refused || verdict.TargetGone)
                ? await SlowDownAsync(_slots, calls[index], verdict, result.Rate)
                : Decide(calls[index], verdict));
        }

        return outcomes;
    }

#pragma warning disable CA5394 // Jitter is no secret.
    private LedgerOutcome Decide(LedgerCall call, LedgerVerdict verdict) =>
        LedgerOutcome.Decide(call, verdict, _options, Random.Shared.NextDouble());
#pragma warning restore CA5394

    // Told to the other processes before the call's own outcome is written: killed in between, the call is made again.
    private async ValueTask<LedgerOutcome> SlowDownAsync(CallSlots slots, LedgerCall call, LedgerVerdict verdict, bool rate)
    {
        var pause = verdict.After ?? _unsaidPause;
        try
        {
            if (verdict.TargetGone)
                await slots.DisableAsync(verdict.Outcome, _abandoned);
            else
                await slots.RefusedAsync(call, pause, rate, verdict.Outcome, _abandoned);
        }
#pragma warning disable CA1031 // The other processes will be told the same by the target itself.
        catch (Exception exception) when (!_abandoned.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotTold(_logger, exception, _target.Name, verdict.Outcome);
        }

        if (verdict.TargetGone)
        {
            LogDisabled(_logger, _target.Name, verdict.Outcome);
            return LedgerOutcome.Decide(call, verdict, _options, 0);
        }

#pragma warning disable CA5394 // Jitter is no secret.
        return LedgerOutcome.Wait(call, verdict, pause, Random.Shared.NextDouble());
#pragma warning restore CA5394
    }

    private async Task LeaveAsync(CallSlots slots)
    {
        try
        {
            await slots.LeaveAsync(_abandoned);
        }
#pragma warning disable CA1031 // Nothing hangs on it: the places are free again when their time has passed.
        catch (Exception exception) when (!_abandoned.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogClaimFailed(_logger, exception, _target.Name);
        }
    }

    private void Release(IReadOnlyList<LedgerCall> calls)
    {
        foreach (var call in calls)
            _writer.Add(LedgerOutcome.Release(call));
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Calls to {Target} stop for {Wait}: it fails too often")]
    private static partial void LogBreakerOpened(ILogger logger, string target, TimeSpan wait);

    [LoggerMessage(Level = LogLevel.Information, Message = "Calls to {Target} go on")]
    private static partial void LogBreakerClosed(ILogger logger, string target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Target} asked for a pause, and other processes could not be told: {Said}")]
    private static partial void LogNotTold(ILogger logger, Exception exception, string target, string said);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Target} is disabled until a person enables it: {Said}")]
    private static partial void LogDisabled(ILogger logger, string target, string said);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Due calls to {Target} cannot be claimed; trying until it works")]
    private static partial void LogClaimFailed(ILogger logger, Exception exception, string target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The grace period ended with {InFlight} calls to {Target} in flight and {Unwritten} outcomes unwritten")]
    private static partial void LogAbandoned(ILogger logger, string target, int inFlight, int unwritten);

    [LoggerMessage(Level = LogLevel.Error, Message = "Defect while calling {Target} for {Key}; its outcome counts as unknown")]
    private static partial void LogDefect(ILogger logger, Exception exception, string target, string key);
}
