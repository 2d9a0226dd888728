using System.Text.Json;

namespace Sagas.Services.Ledger;

/// <summary>What an answer, or its absence, says of a call.</summary>
public sealed record LedgerVerdict
{
    private LedgerVerdict(LedgerVerdictKind kind, string outcome)
    {
        Kind = kind;
        Outcome = outcome;
    }

    /// <summary>What it means.</summary>
    public LedgerVerdictKind Kind { get; }

    /// <summary>For people, without personal data: what came of the attempt.</summary>
    public string Outcome { get; }

    /// <summary>What is kept of the answer, JSON.</summary>
    public string? Response { get; private init; }

    /// <summary>The message to publish in the transaction that writes the verdict.</summary>
    public object? Event { get; private init; }

    /// <summary>The earliest time from now at which the call may be tried again.</summary>
    public TimeSpan? After { get; init; }

    /// <summary>The target said that it is gone for good: it is disabled until a person enables it. Only for targets with
    /// a <see cref="LedgerTarget.Limit"/>.</summary>
    public bool TargetGone { get; init; }

    /// <summary>The call had its effect.</summary>
    /// <param name="outcome">What came of it, for people.</param>
    /// <param name="response">What to keep of the answer; serialised as JSON.</param>
    /// <param name="message">The message to publish.</param>
    public static LedgerVerdict Done(string outcome, object? response, object? message) =>
        new(LedgerVerdictKind.Done, outcome) { Response = Json(response), Event = message };

    /// <summary>The target knows the call and says no for good: it has no effect and never had.</summary>
    /// <inheritdoc cref="Done" />
    public static LedgerVerdict Declined(string outcome, object? response, object? message) =>
        new(LedgerVerdictKind.Declined, outcome) { Response = Json(response), Event = message };

    /// <summary>The target refused this attempt for good, which says nothing of earlier attempts (no access, no such
    /// path): a call that may have happened before is parked instead.</summary>
    /// <inheritdoc cref="Done" />
    public static LedgerVerdict Rejected(string outcome, object? response, object? message) =>
        new(LedgerVerdictKind.Rejected, outcome) { Response = Json(response), Event = message };

    /// <summary>This attempt is proved to have had no effect; it may be made again.</summary>
    /// <param name="outcome">What came of it, for people.</param>
    public static LedgerVerdict NothingHappened(string outcome) => new(LedgerVerdictKind.NothingHappened, outcome);

    /// <summary>This attempt may have had its effect.</summary>
    /// <param name="outcome">What came of it, for people.</param>
    public static LedgerVerdict Unknown(string outcome) => new(LedgerVerdictKind.Unknown, outcome);

    /// <summary>A person has to look at it.</summary>
    /// <param name="outcome">Why.</param>
    public static LedgerVerdict Parked(string outcome) => new(LedgerVerdictKind.Parked, outcome);

    private static string? Json(object? response) =>
        response is null ? null : JsonSerializer.Serialize(response, JsonSerializerOptions.Web);
}

/// <summary>The kinds of <see cref="LedgerVerdict"/>.</summary>
public enum LedgerVerdictKind
{
    /// <summary>The call had its effect.</summary>
    Done,

    /// <summary>The target said no to the call itself.</summary>
    Declined,

    /// <summary>The target said no to this attempt.</summary>
    Rejected,

    /// <summary>No effect; may be tried again.</summary>
    NothingHappened,

    /// <summary>An effect is possible.</summary>
    Unknown,

    /// <summary>For a person to decide.</summary>
    Parked,
}
