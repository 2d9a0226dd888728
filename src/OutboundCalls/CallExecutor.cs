using Microsoft.Extensions.Logging;

namespace Sagas.OutboundCalls;

/// <summary>Executes claimed calls and hands their outcomes to the writer, in every case.</summary>
internal sealed partial class CallExecutor(
    CallTarget target,
    CallSender sender,
    CallThrottle throttle,
    DistributedRateLimiter? limiter,
    PauseSharing sharing,
    OutcomeWriter writer,
    CallMetrics metrics,
    TimeProvider timeProvider,
    ILogger logger
)
{
    // For a throttled call whose response does not say how long to wait.
    private static readonly TimeSpan _defaultPause = TimeSpan.FromSeconds(1);

    private int _misconfigured;

    /// <summary>Executes the calls of one request.</summary>
    /// <param name="claimed">The calls.</param>
    /// <param name="running">Requests in flight, this one included.</param>
    /// <param name="cancellationToken">The grace period has ended: the rows stay in flight, as if the process had been
    /// killed.</param>
    public async Task ExecuteAsync(IReadOnlyList<OutboundCall> claimed, Func<int> running, CancellationToken cancellationToken)
    {
        var calls = new List<OutboundCall>(claimed.Count);
        foreach (var call in claimed)
        {
            if (call is { OutcomeUnknown: true, Mode: CallMode.AtMostOnce })
            {
                const string reason = "abandoned in flight by a process that ended; it may have been executed";
                writer.Add(CallUpdate.Park(call, reason, outcomeUnknown: true));
            }
            else if (timeProvider.GetElapsedTime(call.ClaimedAt) > target.Options.LeaseMargin / 2)
            {
                writer.Add(CallUpdate.Release(call));
            }
            else
            {
                calls.Add(call);
            }
        }

        if (calls.Count == 0)
            return;
        try
        {
            foreach (var update in await CallAsync(calls, running, cancellationToken))
                writer.Add(update);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
#pragma warning disable CA1031 // A defect costs the calls one attempt; it must not stop the dispatcher.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogDefect(logger, exception, target.Name, calls[0].IdempotencyKey);
            var unknown = CallOutcome.Unknown($"defect: {exception.GetType().Name}");
            foreach (var call in calls)
                writer.Add(Decide(call, unknown));
        }
    }

    private async ValueTask<IReadOnlyList<CallUpdate>> CallAsync(
        List<OutboundCall> calls,
        Func<int> running,
        CancellationToken cancellationToken
    )
    {
        var started = timeProvider.GetTimestamp();
        var result = await throttle.RunAsync(token => sender.CallAsync(calls, token), running, cancellationToken);
        if (result is null)
            return [.. calls.Select(CallUpdate.Release)];
        var took = timeProvider.GetElapsedTime(started);
        if (limiter is null && result.Pause > TimeSpan.Zero)
            await sharing.RecordAsync(result.Pause, result.Outcome.Description, cancellationToken);
        var updates = new List<CallUpdate>(calls.Count);
        for (var index = 0; index < calls.Count; index++)
        {
            var outcome = result.Each?[index] ?? result.Outcome;
            metrics.Record(target.Name, outcome.Kind, took);
            WarnOnce(outcome);
            updates.Add(
                limiter is not null && (result.Health == CallHealth.Throttled || outcome.TargetGone)
                    ? await PauseAsync(limiter, calls[index], outcome, result, cancellationToken)
                    : Decide(calls[index], outcome)
            );
        }

        return updates;
    }

    // The other processes learn it before the call's own outcome is written: killed in between, the call is made again.
    private async ValueTask<CallUpdate> PauseAsync(
        DistributedRateLimiter shared,
        OutboundCall call,
        CallOutcome outcome,
        CallResult result,
        CancellationToken cancellationToken
    )
    {
        var asked = outcome.RetryAfter ?? _defaultPause;
        var pause = result.Pause > asked ? result.Pause : asked;
        try
        {
            if (outcome.TargetGone)
                await shared.DisableAsync(outcome.Description, cancellationToken);
            else
                await shared.PauseAsync(call, pause, result.IsRate, outcome.Description, cancellationToken);
        }
#pragma warning disable CA1031 // The target itself will tell the other processes.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogPauseNotShared(logger, exception, target.Name, outcome.Description);
        }

        if (!outcome.TargetGone)
            return CallUpdate.Wait(call, outcome, pause, Random());
        LogDisabled(logger, target.Name, outcome.Description);
        return Decide(call, outcome);
    }

    // Once until the target accepts our calls: each of them gets the same response.
    private void WarnOnce(CallOutcome outcome)
    {
        if (outcome.IsMisconfigured && Interlocked.Exchange(ref _misconfigured, 1) == 0)
            LogMisconfigured(logger, target.Name, outcome.Description);
        else if (outcome.Kind is CallOutcomeKind.Succeeded or CallOutcomeKind.Rejected)
            Volatile.Write(ref _misconfigured, 0);
    }

    private CallUpdate Decide(OutboundCall call, CallOutcome outcome) =>
        CallUpdate.Decide(call, outcome, target.Retry, target.LookupDelay, Random());

#pragma warning disable CA5394 // Jitter does not need secure randomness.
    private static double Random() => System.Random.Shared.NextDouble();
#pragma warning restore CA5394

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Target} asked for a pause, which could not be shared with the other processes: {Reason}"
    )]
    private static partial void LogPauseNotShared(ILogger logger, Exception exception, string target, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Target} does not accept our calls ({Reason}): check its address and our key. They are retried, then parked "
            + "until an operator retries them"
    )]
    private static partial void LogMisconfigured(ILogger logger, string target, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Target} is disabled until an operator enables it: {Reason}")]
    private static partial void LogDisabled(ILogger logger, string target, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Defect while calling {Target} for {Key}; the outcome counts as unknown")]
    private static partial void LogDefect(ILogger logger, Exception exception, string target, string key);
}
