namespace Sagas.OutboundCalls;

/// <summary>What is written of a claimed call.</summary>
/// <param name="Call">The call.</param>
/// <param name="State">The row's new state.</param>
/// <param name="Delay">When waiting: how long until it is due.</param>
/// <param name="Description">The outcome of the attempt; null: none was made.</param>
/// <param name="OutcomeUnknown">The outcome of an attempt is unknown.</param>
/// <param name="Response">What is kept of the response, JSON.</param>
/// <param name="Event">The message to publish.</param>
internal sealed record CallUpdate(
    OutboundCall Call,
    string State,
    TimeSpan? Delay,
    string? Description,
    bool OutcomeUnknown,
    string? Response = null,
    object? Event = null
)
{
    // The column is for people; it must never be the reason that an outcome cannot be written.
    private const int MaxDescriptionLength = 300;

    private static readonly TimeSpan _maxJitter = TimeSpan.FromMilliseconds(200);

    /// <summary>The attempt does not count: the target asked to wait.</summary>
    public bool IsUncounted { get; init; }

    /// <summary>No attempt was made: the claimed call is released as it was.</summary>
    public bool IsRelease => Description is null;

    /// <summary>How the call completed; null: it has not.</summary>
    public CompletedCall? Completed =>
        State switch
        {
            CallState.Done => new(Call, CallCompletion.Succeeded, Description ?? ""),
            CallState.Failed => new(Call, CallCompletion.Rejected, Description ?? ""),
            CallState.Parked => new(Call, CallCompletion.Parked, Description ?? ""),
            _ => null,
        };

    /// <summary>The call was not made and is due again immediately.</summary>
    public static CallUpdate Release(OutboundCall call) =>
        new(call, CallState.Waiting, TimeSpan.Zero, Description: null, call.OutcomeUnknown);

    /// <summary>The target asked for a pause of all calls: the call waits as long, and a little longer at random.</summary>
    public static CallUpdate Wait(OutboundCall call, CallOutcome outcome, TimeSpan pause, double random) =>
        new(call, CallState.Waiting, pause + (_maxJitter * random), Clean(outcome.Description), IsStillUnknown(call))
        {
            IsUncounted = true,
        };

    /// <summary>The call waits for an operator.</summary>
    public static CallUpdate Park(OutboundCall call, string reason, bool outcomeUnknown) =>
        new(call, CallState.Parked, Delay: null, Clean(reason), outcomeUnknown);

    /// <summary>Decides what an outcome means for a call.</summary>
    public static CallUpdate Decide(
        OutboundCall call,
        CallOutcome outcome,
        RetryPolicy retry,
        TimeSpan lookupDelay,
        double random
    )
    {
        var description = Clean(outcome.Description);
        switch (outcome.Kind)
        {
            case CallOutcomeKind.Succeeded:
                return new(call, CallState.Done, null, description, false, outcome.Response, outcome.Event);
            case CallOutcomeKind.Rejected:
            case CallOutcomeKind.AttemptRejected when !IsStillUnknown(call):
                return new(call, CallState.Failed, null, description, false, outcome.Response, outcome.Event);
            case CallOutcomeKind.AttemptRejected:
                return Park(call, description + "; an earlier attempt may have been executed", outcomeUnknown: true);
            case CallOutcomeKind.Retryable:
                return RetryOrPark(call, outcome, retry, random, IsStillUnknown(call), TimeSpan.Zero);
            case CallOutcomeKind.Unknown when call.Mode == CallMode.AtMostOnce:
                return Park(call, description + "; it may have been executed", outcomeUnknown: true);
            case CallOutcomeKind.Unknown:
                var minDelay = call.Mode == CallMode.Lookup ? lookupDelay : TimeSpan.Zero;
                return RetryOrPark(call, outcome, retry, random, outcomeUnknown: true, minDelay);
            default:
                return Park(call, description, call.OutcomeUnknown);
        }
    }

    // In mode Lookup an attempt is only made after the target said that the earlier ones were not executed.
    private static bool IsStillUnknown(OutboundCall call) => call.OutcomeUnknown && call.Mode != CallMode.Lookup;

    private static CallUpdate RetryOrPark(
        OutboundCall call,
        CallOutcome outcome,
        RetryPolicy retry,
        double random,
        bool outcomeUnknown,
        TimeSpan minDelay
    )
    {
        if (retry.ReasonToPark(call) is { } reason)
            return Park(call, $"{Clean(outcome.Description)}; {reason}", outcomeUnknown);
        var delay = new[] { retry.Delay(call, random), minDelay, outcome.RetryAfter ?? TimeSpan.Zero }.Max();
        return new(call, CallState.Waiting, delay, Clean(outcome.Description), outcomeUnknown);
    }

    private static string Clean(string text)
    {
        var clean = string.Concat(text.Select(sign => char.IsControl(sign) || char.IsSurrogate(sign) ? ' ' : sign));
        return clean.Length <= MaxDescriptionLength ? clean : clean[..MaxDescriptionLength];
    }
}
