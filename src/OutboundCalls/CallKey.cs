namespace Sagas.OutboundCalls;

/// <summary>A call at a third party.</summary>
/// <param name="Target">The third party.</param>
/// <param name="IdempotencyKey">The call's name at the target.</param>
public sealed record CallKey(string Target, string IdempotencyKey);
