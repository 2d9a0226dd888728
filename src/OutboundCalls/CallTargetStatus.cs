namespace Sagas.OutboundCalls;

/// <summary>How this process sees a target.</summary>
/// <param name="Target">The target.</param>
/// <param name="Breaker">State of the circuit breaker: <c>Closed</c>, <c>HalfOpen</c> or <c>Open</c>.</param>
/// <param name="Limit">Concurrent calls that the adaptive limiter allows.</param>
/// <param name="InFlight">Calls in flight.</param>
/// <param name="BlockedFor">How much longer no call starts, for a pause that the target asked for or an open breaker.</param>
/// <param name="Unwritten">Outcomes not yet written to the database.</param>
public sealed record CallTargetStatus(string Target, string Breaker, int Limit, int InFlight, TimeSpan BlockedFor, int Unwritten);
