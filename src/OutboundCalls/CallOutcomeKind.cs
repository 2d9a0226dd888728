namespace Sagas.OutboundCalls;

/// <summary>What a response, or its absence, says about a call.</summary>
public enum CallOutcomeKind
{
    /// <summary>The call had its effect.</summary>
    Succeeded,

    /// <summary>The target rejected the call itself: it has no effect and never had.</summary>
    Rejected,

    /// <summary>The target rejected this attempt, which says nothing about earlier ones.</summary>
    AttemptRejected,

    /// <summary>This attempt had no effect; it may be made again.</summary>
    Retryable,

    /// <summary>This attempt may have had its effect.</summary>
    Unknown,

    /// <summary>An operator has to decide.</summary>
    Parked,
}
