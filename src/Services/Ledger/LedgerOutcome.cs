namespace Sagas.Services.Ledger;

/// <summary>What is written of a claimed call.</summary>
/// <param name="Call">The call.</param>
/// <param name="State">The row's new state.</param>
/// <param name="Delay">When waiting: how long until it is due.</param>
/// <param name="LastOutcome">What came of the attempt; null: none was made.</param>
/// <param name="MayHaveHappened">The outcome of an attempt is unknown.</param>
/// <param name="Response">What is kept of the answer, JSON.</param>
/// <param name="Event">The message to publish.</param>
internal sealed record LedgerOutcome(
    LedgerCall Call,
    string State,
    TimeSpan? Delay,
    string? LastOutcome,
    bool MayHaveHappened,
    string? Response = null,
    object? Event = null)
{
    // The column is for people and must not be the reason why an outcome cannot be written.
    private const int LongestText = 300;

    // The longest that chance adds to a wait of a schedule, as a share of it.
    private const double ScheduleJitter = 0.2;

    private static readonly TimeSpan _longestMoment = TimeSpan.FromMilliseconds(200);

    /// <summary>The attempt does not count: the target asked to wait.</summary>
    public bool Uncounted { get; init; }

    /// <summary>No attempt was made: the claimed call goes back as it was.</summary>
    public bool Untried => LastOutcome is null;

    /// <summary>How the call ended; null: it has not.</summary>
    public LedgerEnded? Ended => State switch
    {
        LedgerState.Done => new(Call, LedgerEnd.Done, LastOutcome ?? ""),
        LedgerState.Failed => new(Call, LedgerEnd.Failed, LastOutcome ?? ""),
        LedgerState.Parked => new(Call, LedgerEnd.Parked, LastOutcome ?? ""),
        _ => null,
    };

    /// <summary>A claimed call goes back untried.</summary>
    public static LedgerOutcome Release(LedgerCall call) =>
        new(call, LedgerState.Waiting, TimeSpan.Zero, LastOutcome: null, call.MayHaveHappened);

    /// <summary>A call whose target asked to wait, with all others: it waits that long and a moment more, by chance.</summary>
    public static LedgerOutcome Wait(LedgerCall call, LedgerVerdict verdict, TimeSpan pause, double random) =>
        new(call, LedgerState.Waiting, pause + (_longestMoment * random), Clean(verdict.Outcome), StillOpen(call)) { Uncounted = true };

    /// <summary>A call is left to a person.</summary>
    public static LedgerOutcome Park(LedgerCall call, string why, bool mayHaveHappened) =>
        new(call, LedgerState.Parked, Delay: null, Clean(why), mayHaveHappened);

    /// <summary>Decides what a verdict means for a call.</summary>
    public static LedgerOutcome Decide(LedgerCall call, LedgerVerdict verdict, LedgerOptions options, double random)
    {
        var outcome = Clean(verdict.Outcome);
        switch (verdict.Kind)
        {
            case LedgerVerdictKind.Done:
                return new(call, LedgerState.Done, null, outcome, false, verdict.Response, verdict.Event);
            case LedgerVerdictKind.Declined:
            case LedgerVerdictKind.Rejected when !StillOpen(call):
                return new(call, LedgerState.Failed, null, outcome, false, verdict.Response, verdict.Event);
            case LedgerVerdictKind.Rejected:
                return Park(call, outcome + "; an earlier attempt may have happened", mayHaveHappened: true);
            case LedgerVerdictKind.NothingHappened:
                return Retry(call, verdict, options, random, StillOpen(call), TimeSpan.Zero);
            case LedgerVerdictKind.Unknown when call.Mode == LedgerMode.AtMostOnce:
                return Park(call, outcome + "; it may have happened", mayHaveHappened: true);
            case LedgerVerdictKind.Unknown:
                var settle = call.Mode == LedgerMode.Lookup ? options.LookupDelay : TimeSpan.Zero;
                return Retry(call, verdict, options, random, mayHaveHappened: true, settle);
            default:
                return Park(call, outcome, call.MayHaveHappened);
        }
    }

    // In mode Lookup an attempt is only made after the target said that the earlier ones did not happen.
    private static bool StillOpen(LedgerCall call) => call.MayHaveHappened && call.Mode != LedgerMode.Lookup;

    private static LedgerOutcome Retry(
        LedgerCall call, LedgerVerdict verdict, LedgerOptions options, double random, bool mayHaveHappened, TimeSpan least)
    {
        if (call.Attempts >= (options.RetrySchedule?.Count ?? options.MaxAttempts))
            return Park(call, $"{Clean(verdict.Outcome)}; given up after {call.Attempts} attempts", mayHaveHappened);
        if (options.RetrySchedule is null && call.Age >= options.MaxAge)
            return Park(call, $"{Clean(verdict.Outcome)}; given up {options.MaxAge} after it was asked for", mayHaveHappened);
        var delay = options.RetrySchedule is { } schedule
            ? schedule[call.Attempts] * (1 + (ScheduleJitter * random))
            : RetryDelay.Backoff(options, call.Attempts, random);
        delay = new[] { delay, least, verdict.After ?? TimeSpan.Zero }.Max();
        return new(call, LedgerState.Waiting, delay, Clean(verdict.Outcome), mayHaveHappened);
    }

    private static string Clean(string text)
    {
        var clean = string.Concat(text.Select(character => char.IsControl(character) || char.IsSurrogate(character) ? ' ' : character));
        return clean.Length <= LongestText ? clean : clean[..LongestText];
    }
}

/// <summary>The values of the ledger's column <c>state</c>.</summary>
internal static class LedgerState
{
    public const string Waiting = "waiting";
    public const string InFlight = "in_flight";
    public const string Done = "done";
    public const string Failed = "failed";
    public const string Parked = "parked";
    public const string Superseded = "superseded";
}
