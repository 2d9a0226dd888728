namespace Sagas.Services.Ledger;

/// <summary>How a call whose outcome is unknown (time-out, reset connection, killed process) is resolved.</summary>
public enum LedgerMode
{
    /// <summary>The target honours <c>Idempotency-Key</c>: the same call is sent again with the same key.</summary>
    IdempotencyKey,

    /// <summary>The target can be asked whether the call happened; it is sent again only if it did not.</summary>
    Lookup,

    /// <summary>Neither: the call is parked for a person and never sent again by itself.</summary>
    AtMostOnce,
}
