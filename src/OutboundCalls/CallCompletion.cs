namespace Sagas.OutboundCalls;

/// <summary>How a call completed.</summary>
public enum CallCompletion
{
    /// <summary>It had its effect.</summary>
    Succeeded,

    /// <summary>The target rejected it for good.</summary>
    Rejected,

    /// <summary>It was given up, or its outcome can only be found out by an operator.</summary>
    Parked,
}
