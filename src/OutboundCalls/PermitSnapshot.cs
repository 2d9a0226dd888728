namespace Sagas.OutboundCalls;

/// <summary>What a process reads before it takes permits.</summary>
/// <param name="State">What all processes know of the limit.</param>
/// <param name="Now">The database's clock.</param>
/// <param name="Due">Calls that are due, counted up to what was asked for.</param>
internal sealed record PermitSnapshot(RateLimitState State, DateTimeOffset Now, int Due);
