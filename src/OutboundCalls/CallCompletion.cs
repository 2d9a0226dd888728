namespace Sagas.OutboundCalls;

/// <summary>How a call completed.</summary>
public enum CallCompletion
{
    /// <summary>It had its effect.</summary>
    Succeeded,

    /// <summary>The target rejected it for good.</summary>
    Rejected,

    /// <summary>It is parked: its attempts are used up, or only an operator can find out its outcome.</summary>
    Parked,
}
