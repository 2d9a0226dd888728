namespace Sagas.OutboundCalls;

/// <summary>The result of one request.</summary>
/// <param name="Outcome">The call's outcome; of several calls, that of the one that asks for the longest pause.</param>
/// <param name="Health">What it says about the target.</param>
internal sealed record CallResult(CallOutcome Outcome, CallHealth Health)
{
    /// <summary>Each call's outcome; null: there is one call.</summary>
    public IReadOnlyList<CallOutcome>? Each { get; init; }

    /// <summary>It was throttled because of the rate (429), not because the target is in trouble.</summary>
    public bool IsRate { get; init; }

    /// <summary>It was throttled: how long no call starts.</summary>
    public TimeSpan Pause { get; init; }
}
