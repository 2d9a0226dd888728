namespace Sagas.OutboundCalls;

/// <summary>A call that has completed.</summary>
/// <param name="Call">The call.</param>
/// <param name="Completion">How it completed.</param>
/// <param name="Description">The outcome of its last attempt, in plain text without personal data.</param>
public sealed record CompletedCall(OutboundCall Call, CallCompletion Completion, string Description);
