using MassTransit;

namespace Sagas.Host.Bus;

/// <summary>
/// Retries a delivery in place, the message staying unacknowledged: as long as it takes when the surroundings are at
/// fault, a few times otherwise, never when the message is refused.
/// </summary>
/// <remarks>
/// MassTransit's own policies cannot wait without end, and when the process stops while one of them waits, the message is
/// acknowledged or moved to the error queue. Here it goes back to its queue.
/// </remarks>
/// <param name="filter">What the endpoint configured to be handled.</param>
/// <param name="stopping">Signalled when the process begins to stop.</param>
/// <param name="logger">Told when a delivery has been waiting for a while.</param>
internal sealed partial class DeliveryRetryPolicy(IExceptionFilter filter, CancellationToken stopping, ILogger logger) : IRetryPolicy
{
    private const int AttemptsAfterUnknownFault = 3;
    private const int AttemptsAfterRace = 10;
    private const int LongestDoubling = 9;

    // After about a second: what passes sooner is nobody's concern.
    private const int AttemptToReport = 7;

    // Milliseconds.
    private const int BetweenReports = 1000;

    private static readonly TimeSpan _shortestDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _delayAfterUnknownFault = TimeSpan.FromMilliseconds(100);

    private readonly CancellationToken _stopping = stopping;
    private long _reported = -BetweenReports;

    // The retry loop of MassTransit ends quietly, as if consumed, when the token of its retry context is signalled.
    private static readonly CancellationToken _never = new CancellationTokenSource().Token;

    public RetryPolicyContext<T> CreatePolicyContext<T>(T context)
        where T : class, PipeContext => new PolicyContext<T>(this, context);

    public bool IsHandled(Exception exception) => filter.Match(exception) && TransientFaults.Classify(exception) != FaultKind.Refused;

    public void Probe(ProbeContext context) => context.Set(new { Policy = "Delivery", Longest = _longestDelay });

    private bool TryDelay(Exception exception, ref Counts counts, out TimeSpan delay)
    {
        var kind = filter.Match(exception) ? TransientFaults.Classify(exception) : FaultKind.Refused;
        counts = kind switch
        {
            FaultKind.Race => counts with { All = counts.All + 1, Races = counts.Races + 1 },
            FaultKind.Unknown => counts with { All = counts.All + 1, Unknown = counts.Unknown + 1 },
            _ => counts with { All = counts.All + 1 },
        };
        if (kind == FaultKind.Transient && counts.All == AttemptToReport && MayReport())
            LogWaiting(logger, exception.GetBaseException().Message);
        var doublings = Math.Min(kind == FaultKind.Unknown ? counts.Unknown : counts.All, LongestDoubling) - 1;
        var longest = (kind == FaultKind.Unknown ? _delayAfterUnknownFault : _shortestDelay) * (1 << doublings);
        // Spread over the upper half, so that many deliveries that failed together do not come back together.
        delay = (longest < _longestDelay ? longest : _longestDelay) * (0.5 + Random.Shared.NextDouble() / 2);
        return kind switch
        {
            FaultKind.Transient => true,
            FaultKind.Race => counts.Races <= AttemptsAfterRace,
            FaultKind.Unknown => counts.Unknown <= AttemptsAfterUnknownFault,
            _ => false,
        };
    }

    // Thousands of messages may wait for the same thing; one line a second tells it.
    private bool MayReport()
    {
        var (now, last) = (Environment.TickCount64, Volatile.Read(ref _reported));
        return now - last >= BetweenReports && Interlocked.CompareExchange(ref _reported, now, last) == last;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message waits, and is tried again until it can be consumed: {Reason}")]
    private static partial void LogWaiting(ILogger logger, string reason);

    private readonly record struct Counts(int All, int Races, int Unknown);

    private sealed class PolicyContext<T>(DeliveryRetryPolicy policy, T context) : RetryPolicyContext<T>
        where T : class, PipeContext
    {
        public T Context => context;

        public bool CanRetry(Exception exception, out RetryContext<T> retryContext)
        {
            var counts = default(Counts);
            var again = policy.TryDelay(exception, ref counts, out var delay);
            retryContext = new Attempt<T>(policy, context, exception, counts, delay);
            return again;
        }

        public Task RetryFaulted(Exception exception) => Task.CompletedTask;

        public void Cancel()
        {
        }

        public void Dispose()
        {
        }
    }

    private sealed class Attempt<T>(DeliveryRetryPolicy policy, T context, Exception exception, Counts counts, TimeSpan delay) : RetryContext<T>
        where T : class, PipeContext
    {
        public T Context => context;

        public CancellationToken CancellationToken => _never;

        public Exception Exception => exception;

        public int RetryAttempt => counts.All;

        public int RetryCount => counts.All - 1;

        // The wait is in PreRetry, where it can end in a way that returns the message to its queue.
        public TimeSpan? Delay => null;

        public Type ContextType => typeof(T);

        public bool CanRetry(Exception exception, out RetryContext<T> retryContext)
        {
            var next = counts;
            var again = policy.TryDelay(exception, ref next, out var nextDelay);
            retryContext = new Attempt<T>(policy, context, exception, next, nextDelay);
            return again;
        }

        /// <exception cref="OperationCanceledException">The process stops: the delivery is given back to the broker.</exception>
        public Task PreRetry() => Task.Delay(delay, policy._stopping);

        public Task RetryFaulted(Exception exception) => Task.CompletedTask;
    }
}
