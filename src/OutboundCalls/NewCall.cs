namespace Sagas.OutboundCalls;

/// <summary>A call to enqueue.</summary>
/// <param name="IdempotencyKey">The call's name at the target.</param>
/// <param name="Request">The request to the target, JSON.</param>
/// <param name="ConversationId">The conversation that asks for it.</param>
/// <param name="CorrelationId">The saga or file that asks for it.</param>
public sealed record NewCall(string IdempotencyKey, string Request, Guid? ConversationId, Guid? CorrelationId)
{
    /// <summary>Keys of older calls that this one makes unnecessary. Those that have not succeeded are closed, and this one is
    /// due once none of them can still have its effect.</summary>
    public IReadOnlyCollection<string> Supersedes { get; init; } = [];
}
