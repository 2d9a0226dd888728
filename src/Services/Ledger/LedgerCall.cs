using System.Text.Json;

namespace Sagas.Services.Ledger;

/// <summary>A call that this process has claimed: a ledger row.</summary>
/// <param name="IdempotencyKey">The call's name at the target, the same however often it is sent.</param>
/// <param name="Mode">How an unknown outcome is resolved.</param>
/// <param name="Request">What the target is asked to do, JSON.</param>
/// <param name="Attempts">Which attempt this is, from 1.</param>
/// <param name="MayHaveHappened">The outcome of an earlier attempt is unknown.</param>
/// <param name="Age">How long ago the call was asked for when it was claimed.</param>
/// <param name="ConversationId">The conversation that asked for it.</param>
/// <param name="CorrelationId">The saga that asked for it.</param>
public sealed record LedgerCall(
    string IdempotencyKey,
    LedgerMode Mode,
    string Request,
    int Attempts,
    bool MayHaveHappened,
    TimeSpan Age,
    Guid? ConversationId,
    Guid? CorrelationId)
{
    /// <summary>The claim that holds the row.</summary>
    internal Guid Claim { get; init; }

    /// <summary>When this process asked for the claim, a timestamp of the time provider: never later than the database's.</summary>
    internal long ClaimedAt { get; init; }

    /// <summary>Not before this timestamp of the time provider; 0: at once.</summary>
    internal long StartAt { get; init; }

    /// <summary>The correction of the target's learned rate under which it starts.</summary>
    internal long Epoch { get; init; }

    /// <summary>Reads the request.</summary>
    /// <typeparam name="T">What was entered.</typeparam>
    /// <exception cref="JsonException">The row holds something else.</exception>
    public T Read<T>()
        where T : class =>
        JsonSerializer.Deserialize<T>(Request, JsonSerializerOptions.Web) ?? throw new JsonException("The request is null.");
}
