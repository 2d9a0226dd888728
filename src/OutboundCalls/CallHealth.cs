namespace Sagas.OutboundCalls;

/// <summary>What a call says about the target's health.</summary>
internal enum CallHealth
{
    /// <summary>It responded, with any status.</summary>
    Healthy,

    /// <summary>It asked for fewer calls.</summary>
    Throttled,

    /// <summary>It failed or did not respond.</summary>
    Failed,
}
