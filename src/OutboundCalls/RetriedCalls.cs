namespace Sagas.OutboundCalls;

/// <summary>What a retry by an operator changed.</summary>
/// <param name="Calls">Calls that were parked and are due now.</param>
/// <param name="ResumedTargets">Targets that were paused and are not any more.</param>
public sealed record RetriedCalls(IReadOnlyList<CallKey> Calls, IReadOnlyList<string> ResumedTargets);
