namespace Sagas.OutboundCalls;

/// <summary>When a call is retried, and when it is parked instead.</summary>
public abstract class RetryPolicy
{
    private RetryPolicy() { }

    /// <summary>Exponential delays with full jitter.</summary>
    /// <param name="options">The delays and how long calls are retried.</param>
    public static RetryPolicy Exponential(CallRetryOptions options) => new ExponentialRetry(options);

    /// <summary>
    /// A delay before each attempt, the first included; after as many failures as there are entries it is parked.
    /// </summary>
    /// <param name="delays">The delays; each is lengthened by up to a fifth, at random.</param>
    public static RetryPolicy Schedule(IReadOnlyList<TimeSpan> delays) => new ScheduledRetry(delays);

    /// <summary>Why a call is not retried; null: it is.</summary>
    internal abstract string? ReasonToPark(OutboundCall call);

    /// <summary>How long to wait before the next attempt.</summary>
    internal abstract TimeSpan Delay(OutboundCall call, double random);

    private sealed class ExponentialRetry(CallRetryOptions options) : RetryPolicy
    {
        internal override string? ReasonToPark(OutboundCall call) =>
            call.Attempts >= options.MaxAttempts ? $"parked after {call.Attempts} attempts"
            : call.Age >= options.MaxAge ? $"parked {options.MaxAge} after it was enqueued or retried"
            : null;

        internal override TimeSpan Delay(OutboundCall call, double random) =>
            Backoff.FullJitter(options.Delay, options.MaxDelay, call.Attempts, random);
    }

    private sealed class ScheduledRetry(IReadOnlyList<TimeSpan> delays) : RetryPolicy
    {
        private const double Jitter = 0.2;

        internal override string? ReasonToPark(OutboundCall call) =>
            call.Attempts >= delays.Count ? $"parked after {call.Attempts} attempts" : null;

        internal override TimeSpan Delay(OutboundCall call, double random) => delays[call.Attempts] * (1 + (Jitter * random));
    }
}
