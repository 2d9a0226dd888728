using System.Text;

namespace Sagas.Simulators.Faults;

/// <summary>The fault and latency of one request, drawn when it came in.</summary>
internal sealed class FaultVisit(
    FaultInjector injector,
    FaultSettings settings,
    Fault fault,
    TimeSpan latency,
    long started,
    TimeProvider timeProvider
) : IDisposable
{
    private static readonly byte[] _notJson = Encoding.UTF8.GetBytes("<html><body>upstream said: OK</body></html>");
    private int _halves;

    public Fault Fault => fault;

    /// <summary>How long the request takes.</summary>
    public TimeSpan Latency => fault is Fault.Down or Fault.Busy or Fault.OneTooMany ? TimeSpan.Zero : latency;

    /// <summary>The answer to a request that is rejected with nothing done; null when it is to be carried out.</summary>
    public Answer? Rejection() =>
        fault switch
        {
            Fault.Down => Answer.Problem(503, "Service unavailable", "The service is down."),
            Fault.Busy => Answer.Problem(503, "Service unavailable", "Too many requests at the same time."),
            Fault.TooManyRequests or Fault.OneTooMany => Answer.Problem(
                429,
                "Too many requests",
                "The rate limit is exceeded."
            ) with
            {
                RetryAfterSeconds = settings.RetryAfterSeconds,
            },
            Fault.FailBefore => ServerError(),
            _ => null,
        };

    /// <summary>What the caller gets instead of the answer to a request that was carried out.</summary>
    public Answer Alter(Answer answer) =>
        fault switch
        {
            Fault.FailAfter => ServerError(),
            Fault.LostAfter => answer with { Ending = Ending.Nothing },
            Fault.HalfResponse => answer with { Ending = Ending.Half },
            Fault.Garbage => Answer.Json(Random.Shared.Next(200, 202), _notJson),
            _ => answer,
        };

    /// <summary>
    /// Half of the request's latency. It is waited for before the effect and again after it, so that a caller that
    /// gives up meets both cases. It ends early when the simulator stops.
    /// </summary>
    public async Task WaitHalfAsync(CancellationToken cancellationToken)
    {
        // A service that is down or full rejects callers immediately.
        if (Latency <= TimeSpan.Zero)
            return;
        // Measured from the start of the work, which may be in the future, so that a late timer does not add up.
        var left = latency / 2 * ++_halves - timeProvider.GetElapsedTime(started);
        if (left > TimeSpan.Zero)
            await Task.Delay(left, timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => injector.Leave();

    private static Answer ServerError() =>
        Random.Shared.Next(2) == 0
            ? Answer.Problem(500, "Internal server error", "Something broke.")
            : Answer.Problem(503, "Service unavailable", "Try again later.");
}
