namespace Sagas.OutboundCalls;

/// <summary>How a call whose outcome is unknown (timeout, connection reset, process killed) is resolved.</summary>
public enum CallMode
{
    /// <summary>The target honours <c>Idempotency-Key</c>: the same call is sent again with the same key.</summary>
    IdempotencyKey,

    /// <summary>The target can be asked whether the call was executed; it is sent again only if it was not.</summary>
    Lookup,

    /// <summary>Neither: the call is parked for an operator and never sent again automatically.</summary>
    AtMostOnce,
}
