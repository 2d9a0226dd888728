using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sagas.OutboundCalls;

/// <summary>Makes the calls to one target: claims due rows, has them executed and their outcomes written.</summary>
internal sealed partial class CallDispatcher : BackgroundService
{
    // Claiming waits while the database does not keep up with outcomes: their leases must not expire before they are written.
    private const int MaxUnwritten = 512;

    private static readonly TimeSpan _maxClaimDelay = TimeSpan.FromSeconds(1);

    // Within a second of an operator's retry, every process calls again.
    private static readonly TimeSpan _endInterval = TimeSpan.FromMilliseconds(500);

    private readonly CallTarget _target;
    private readonly CallSignal _signal;
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly CallThrottle _throttle;
    private readonly CallPool _pool;
    private readonly OutcomeWriter _writer;
    private readonly DistributedRateLimiter? _limiter;
    private readonly TargetPause _pause;
    private readonly CancellationTokenSource _abandon = new();
    private readonly CancellationToken _abandoned;
    private long _askedForEndAt = long.MinValue;
    private Guid? _lostClaim;
    private volatile bool _moreDue;

    public CallDispatcher(
        CallTarget target,
        CallSignal signal,
        IServiceScopeFactory scopes,
        IHttpClientFactory clients,
        CallMetrics metrics,
        OutboundCallStatus status,
        TimeProvider timeProvider,
        ILogger<CallDispatcher> logger
    )
    {
        (_target, _signal, _scopes, _timeProvider, _logger) = (target, signal, scopes, timeProvider, logger);
        _abandoned = _abandon.Token;
        _pause = new(timeProvider);
        _limiter = target.Limit is { } limit ? new(target.Name, limit, Lease, scopes, _pause, timeProvider) : null;
        _throttle = new(
            target.Options,
            timeProvider,
            delay => LogBreakerOpened(logger, target.Name, delay),
            () => LogBreakerClosed(logger, target.Name),
            _limiter,
            _pause,
            (pause, reason) => LogPaused(logger, target.Name, pause, reason)
        );
        _writer = new(target, scopes, timeProvider, logger, Written);
        var executor = new CallExecutor(
            target,
            new CallSender(target, clients, timeProvider),
            _throttle,
            _limiter,
            new PauseSharing(target.Name, _pause, scopes, timeProvider, logger),
            _writer,
            metrics,
            timeProvider,
            logger
        );
        _pool = new(
            _throttle,
            target.BatchSize,
            calls => executor.ExecuteAsync(calls, () => _pool!.Running, _abandoned),
            LookAgain,
            timeProvider
        );
        status.Add(target.Name, Status);
    }

    // Time for the call, for the lookup before it, and for waiting for its turn. It runs to its end even when the process is
    // known to be dead: its request may still be executing at the target, where a lookup would not find it yet.
    private TimeSpan Lease =>
        (_target.Options.CallTimeout * (_target.Mode == CallMode.Lookup ? 2 : 1)) + _target.Options.LeaseMargin;

    /// <summary>How this process sees the target.</summary>
    public CallTargetStatus Status() =>
        new(
            _target.Name,
            _throttle.Breaker.ToString(),
            _throttle.AdaptedLimit,
            _pool.Running,
            _throttle.Blocked,
            _writer.Unwritten
        );

    /// <summary>Stops claiming, and waits until calls in flight have completed and their outcomes are written.</summary>
    /// <param name="cancellationToken">The end of the grace period: what is still in flight then is abandoned, and resolved
    /// by its mode when the lease has expired.</param>
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
            await ReturnShareAsync();
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            LogAbandoned(_logger, _target.Name, _pool.Running, _writer.Unwritten);
        }
    }

    private async Task ClaimAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            Release(_pool.TakeBlocked());
            var wait = _target.Options.PollInterval;
            try
            {
                await EndPauseAsync();
                // Set before the room is read, so that room made in between is not missed.
                _moreDue = true;
                var room = _writer.Unwritten < MaxUnwritten ? _pool.Room() : 0;
                if (_limiter is not null)
                {
                    room = await _limiter.TakeAsync(room, _pool.Running, _abandoned);
                    _moreDue = _limiter.AnythingDue;
                    if (_limiter.AskIn > TimeSpan.Zero)
                        wait = _limiter.AskIn;
                }

                if (_pause.Remaining > TimeSpan.Zero && wait > _endInterval)
                    wait = _endInterval;

                if (room > 0)
                {
                    _moreDue = await ClaimAsync(room) == room;
                    failures = 0;
                    if (_moreDue)
                        continue;
                }
            }
#pragma warning disable CA1031 // The database may be unavailable for any reason; claiming resumes when it is back.
            catch (Exception exception) when (!_abandoned.IsCancellationRequested)
#pragma warning restore CA1031
            {
                if (failures++ == 0)
                    LogClaimFailed(_logger, exception, _target.Name);
                wait = Backoff.Exponential(_target.Options.PollInterval, _maxClaimDelay, failures);
            }

            try
            {
                await _signal.WaitAsync(wait, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task EndPauseAsync()
    {
        if (
            _pause.Remaining == TimeSpan.Zero
            || (_askedForEndAt != long.MinValue && _timeProvider.GetElapsedTime(_askedForEndAt) < _endInterval)
        )
            return;
        _askedForEndAt = _timeProvider.GetTimestamp();
        await using var scope = _scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DbContext>();
        if (!_pause.TryEnd(await PauseStore.ResumedAsync(database, _target.Name, _abandoned)))
            return;
        _limiter?.AskNow();
        LogResumed(_logger, _target.Name);
    }

    private async Task<int> ClaimAsync(int room)
    {
        await using var scope = _scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DbContext>();
        if (_lostClaim is { } lost)
            await CallStore.ReleaseAsync(database, _target.Name, lost, _abandoned);
        var claim = Guid.NewGuid();
        _lostClaim = claim;
        // Not cancelled by an orderly stop: a claim cut off there may have been committed unnoticed.
        var calls = await CallStore.ClaimAsync(
            database,
            _target.Name,
            room,
            claim,
            _timeProvider.GetTimestamp(),
            Lease,
            _abandoned
        );
        _lostClaim = null;
        _pool.Add(_limiter?.Assign(calls) ?? calls);
        return calls.Count;
    }

    private void Written(bool enqueued)
    {
        if (enqueued)
            _signal.Raise();
        else
            LookAgain();
    }

    // There is room. Where nothing more was due there is nothing to claim, and what has come since has raised the signal.
    private void LookAgain()
    {
        if (_moreDue)
            _signal.Raise();
    }

    private void Release(IReadOnlyList<OutboundCall> calls)
    {
        foreach (var call in calls)
            _writer.Add(CallUpdate.Release(call));
    }

    private async Task ReturnShareAsync()
    {
        if (_limiter is null)
            return;
        try
        {
            await _limiter.ReturnAsync(_abandoned);
        }
#pragma warning disable CA1031 // Nothing depends on it: the share is free when its lease expires.
        catch (Exception exception) when (!_abandoned.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogReturnFailed(_logger, exception, _target.Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Circuit breaker of {Target} opened for {Delay}: too many calls fail")]
    private static partial void LogBreakerOpened(ILogger logger, string target, TimeSpan delay);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Target} throttles: no call starts for {Pause}, or until an operator retries: {Reason}"
    )]
    private static partial void LogPaused(ILogger logger, string target, TimeSpan pause, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "An operator ended the pause of {Target}; calls resume")]
    private static partial void LogResumed(ILogger logger, string target);

    [LoggerMessage(Level = LogLevel.Information, Message = "Circuit breaker of {Target} closed; calls resume")]
    private static partial void LogBreakerClosed(ILogger logger, string target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Claiming calls to {Target} failed; retrying until it succeeds")]
    private static partial void LogClaimFailed(ILogger logger, Exception exception, string target);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Returning the share of concurrent calls to {Target} failed; it expires with its lease"
    )]
    private static partial void LogReturnFailed(ILogger logger, Exception exception, string target);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The grace period ended with {InFlight} calls to {Target} in flight and {Unwritten} outcomes unwritten; "
            + "they are resolved when their leases expire"
    )]
    private static partial void LogAbandoned(ILogger logger, string target, int inFlight, int unwritten);
}
