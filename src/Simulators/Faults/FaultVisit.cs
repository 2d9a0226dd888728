using System.Text;

namespace Sagas.Simulators.Faults;

/// <summary>One request's share of bad luck, decided when it came in.</summary>
internal sealed class FaultVisit(
    FaultInjector injector,
    FaultSettings settings,
    Fault fault,
    TimeSpan latency,
    long started,
    TimeProvider time
) : IDisposable
{
    private static readonly byte[] NotJson = Encoding.UTF8.GetBytes("<html><body>upstream said: OK</body></html>");
    private int halves;

    public Fault Fault => fault;

    /// <summary>How long the request takes.</summary>
    public TimeSpan Latency => fault is Fault.Down or Fault.Busy or Fault.OneTooMany ? TimeSpan.Zero : latency;

    /// <summary>The answer of a request that is turned away with nothing done; null when it is to be carried out.</summary>
    public Answer? Refusal() =>
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
            Fault.Garbage => Answer.Json(Random.Shared.Next(200, 202), NotJson),
            _ => answer,
        };

    /// <summary>
    /// Half of the request's latency. It is waited for before the effect and again after it, so that a caller that
    /// gives up meets both cases. It ends early when the simulator stops.
    /// </summary>
    public async Task WaitHalfAsync(CancellationToken stopping)
    {
        // A service that is down or full turns callers away at once.
        if (Latency <= TimeSpan.Zero)
            return;
        // By the time at which the request was begun with, which may be ahead, and so that a late timer delays it once only.
        var left = latency / 2 * ++halves - time.GetElapsedTime(started);
        if (left > TimeSpan.Zero)
            await Task.Delay(left, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => injector.Leave();

    private static Answer ServerError() =>
        Random.Shared.Next(2) == 0
            ? Answer.Problem(500, "Internal server error", "Something broke.")
            : Answer.Problem(503, "Service unavailable", "Try again later.");
}
