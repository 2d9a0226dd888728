using MassTransit;
using Sagas.OutboundCalls;

namespace Sagas.Host.Bus;

/// <summary>
/// Retries a delivery in place while the message stays unacknowledged: without limit on infrastructure failures, a few times on
/// other failures, never when the message is invalid.
/// </summary>
/// <remarks>
/// MassTransit's own policies have a limit, and when the process stops while one of them waits, the message is acknowledged or
/// moved to the error queue. Here it returns to its queue.
/// </remarks>
/// <param name="filter">What the endpoint configured to be handled.</param>
/// <param name="timeProvider">The clock of the delays.</param>
/// <param name="logger">Where a delivery that keeps failing is reported.</param>
/// <param name="stoppingToken">Signalled when the process begins to stop.</param>
internal sealed partial class DeliveryRetryPolicy(
    IExceptionFilter filter,
    TimeProvider timeProvider,
    ILogger logger,
    CancellationToken stoppingToken
) : IRetryPolicy
{
    private const int AttemptsAfterUnknownFault = 3;
    private const int AttemptsAfterRace = 10;

    // After about a second; shorter failures need no attention.
    private const int ReportedAttempt = 7;

    private static readonly TimeSpan _reportInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _minDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _maxDelay = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan _delayAfterUnknownFault = TimeSpan.FromMilliseconds(100);

    private readonly CancellationToken _stoppingToken = stoppingToken;
    private readonly TimeProvider _timeProvider = timeProvider;
    private long _reported = long.MinValue;

    // MassTransit's retry loop ends as if the message were consumed when the token of its retry context is signalled.
    private static readonly CancellationToken _never = new CancellationTokenSource().Token;

    public RetryPolicyContext<T> CreatePolicyContext<T>(T context)
        where T : class, PipeContext => new PolicyContext<T>(this, context);

    public bool IsHandled(Exception exception) =>
        filter.Match(exception) && TransientFaults.Classify(exception) != FaultKind.InvalidMessage;

    public void Probe(ProbeContext context) => context.Set(new { Policy = "Delivery", MaxDelay = _maxDelay });

    private bool TryDelay(Exception exception, ref Counts counts, out TimeSpan delay)
    {
        var kind = filter.Match(exception) ? TransientFaults.Classify(exception) : FaultKind.InvalidMessage;
        counts = kind switch
        {
            FaultKind.Race => counts with { All = counts.All + 1, Races = counts.Races + 1 },
            FaultKind.Unknown => counts with { All = counts.All + 1, Unknown = counts.Unknown + 1 },
            _ => counts with { All = counts.All + 1 },
        };
        if (kind == FaultKind.Transient && counts.All == ReportedAttempt && MayReport())
            LogWaiting(logger, exception.GetBaseException().Message);
        var (first, failures) = kind == FaultKind.Unknown ? (_delayAfterUnknownFault, counts.Unknown) : (_minDelay, counts.All);
        // Deliveries that failed together are not retried together.
        delay = Backoff.PartialJitter(first, _maxDelay, failures, share: 0.5, Random.Shared.NextDouble());
        return kind switch
        {
            FaultKind.Transient => true,
            FaultKind.Race => counts.Races <= AttemptsAfterRace,
            FaultKind.Unknown => counts.Unknown <= AttemptsAfterUnknownFault,
            _ => false,
        };
    }

    // Thousands of messages may wait for the same dependency; one line a second is enough.
    private bool MayReport()
    {
        var (now, last) = (_timeProvider.GetTimestamp(), Volatile.Read(ref _reported));
        return (last == long.MinValue || _timeProvider.GetElapsedTime(last, now) >= _reportInterval)
            && Interlocked.CompareExchange(ref _reported, now, last) == last;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Delivery is retried until the dependency recovers: {Reason}")]
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

        public void Cancel() { }

        public void Dispose() { }
    }

    private sealed class Attempt<T>(DeliveryRetryPolicy policy, T context, Exception exception, Counts counts, TimeSpan delay)
        : RetryContext<T>
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

        /// <exception cref="OperationCanceledException">The process stops; the delivery returns to the broker.</exception>
        public Task PreRetry() => Task.Delay(delay, policy._timeProvider, policy._stoppingToken);

        public Task RetryFaulted(Exception exception) => Task.CompletedTask;
    }
}
