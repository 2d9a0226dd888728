using System.Text.Json;

namespace Sagas.OutboundCalls;

/// <summary>A call that this process has claimed: a row of <c>outbound_call</c>.</summary>
/// <param name="IdempotencyKey">The call's name at the target, the same however often it is sent.</param>
/// <param name="Mode">How an unknown outcome is resolved.</param>
/// <param name="Request">The request to the target, JSON.</param>
/// <param name="Attempts">Which attempt this is, from 1.</param>
/// <param name="OutcomeUnknown">The outcome of an earlier attempt is unknown.</param>
/// <param name="Age">How long ago the call was enqueued, or last retried by an operator, when it was claimed.</param>
/// <param name="ConversationId">The conversation that asked for it.</param>
/// <param name="CorrelationId">The saga that asked for it.</param>
public sealed record OutboundCall(
    string IdempotencyKey,
    CallMode Mode,
    string Request,
    int Attempts,
    bool OutcomeUnknown,
    TimeSpan Age,
    Guid? ConversationId,
    Guid? CorrelationId
)
{
    /// <summary>The claim that holds the row.</summary>
    internal Guid Claim { get; init; }

    /// <summary>When this process asked for the claim, a timestamp of the time provider; the database claimed it later.</summary>
    internal long ClaimedAt { get; init; }

    /// <summary>Not before this timestamp of the time provider; 0: immediately.</summary>
    internal long StartAt { get; init; }

    /// <summary>The decrease of the target's learned rate after which it starts.</summary>
    internal long Epoch { get; init; }

    /// <summary>Reads the request.</summary>
    /// <typeparam name="T">What was enqueued.</typeparam>
    /// <exception cref="JsonException">The row holds something else.</exception>
    public T Read<T>()
        where T : class =>
        JsonSerializer.Deserialize<T>(Request, JsonSerializerOptions.Web) ?? throw new JsonException("The request is null.");
}
