namespace Sagas.Services.Ledger;

/// <summary>Judges answers by what is the same for every target, and asks the target for the rest.</summary>
internal static class AnswerReader
{
    public static LedgerVerdict Judge(LedgerTarget target, LedgerCall call, LedgerAnswer answer)
    {
        if (IsTransient(answer.Code))
        {
            var verdict = target.ProvesNothingHappened(answer)
                ? LedgerVerdict.NothingHappened($"{answer.Code}: refused for now")
                : LedgerVerdict.Unknown($"{answer.Code}: failed");
            return verdict with { After = answer.RetryAfter };
        }

        if (answer.Code is < 200 or >= 500 or (>= 300 and < 400))
            return LedgerVerdict.Unknown($"{answer.Code}: not an answer to this call");
        if (!answer.Complete && (target.NeedsWholeAnswer || answer.Code >= 300))
            return LedgerVerdict.Unknown($"{answer.Code}: the body is cut off or longer than 64 KiB");

        // While an earlier attempt may still be at work, its key is in use: the answer is about that attempt's timing.
        if (answer.Code == 409 && call is { MayHaveHappened: true, Mode: LedgerMode.IdempotencyKey })
            return LedgerVerdict.Unknown("409: an earlier attempt may be at work") with { After = answer.RetryAfter };
        return Ask(answer.Code < 300 ? target.ReadSuccess : target.ReadRefusal, call, answer);
    }

    /// <summary>Judges the answer to a lookup. Only the target can say that nothing happened: a refused lookup says nothing.</summary>
    public static LedgerVerdict JudgeLookup(LedgerTarget target, LedgerCall call, LedgerAnswer answer)
    {
        var verdict = answer.Complete && !IsTransient(answer.Code) && answer.Code is (>= 200 and < 300) or (>= 400 and < 500)
            ? Ask(target.ReadLookup, call, answer)
            : null;
        return verdict is null or { Kind: LedgerVerdictKind.Rejected }
            ? LedgerVerdict.Unknown($"{answer.Code} to the lookup") with { After = answer.RetryAfter }
            : verdict;
    }

    /// <summary>Takes the answer to several calls apart; where that fails, it says nothing of any of them.</summary>
    public static IReadOnlyList<LedgerAnswer> Split(LedgerTarget target, IReadOnlyList<LedgerCall> calls, LedgerAnswer answer)
    {
        try
        {
            if (target.SplitAnswer(calls, answer) is { } answers && answers.Count == calls.Count)
                return answers;
        }
#pragma warning disable CA1031 // Whatever a target stumbles over, the calls were made and must not be forgotten.
        catch (Exception)
#pragma warning restore CA1031
        {
            // As if it were no answer to these calls.
        }

        return [.. calls.Select(_ => answer)];
    }

    /// <summary>How well the target did, whatever it said of the call.</summary>
    public static CallHealth Health(LedgerAnswer answer, LedgerVerdict verdict) => answer.Code switch
    {
        429 => CallHealth.Refused,
        503 when answer.RetryAfter is not null => CallHealth.Refused,
        >= 500 => CallHealth.Failed,
        >= 200 and < 300 when verdict.Kind == LedgerVerdictKind.Unknown => CallHealth.Failed,
        _ => CallHealth.Good,
    };

    private static bool IsTransient(int code) => code is 408 or 425 or 429 or >= 500;

    private static LedgerVerdict Ask(Func<LedgerCall, LedgerAnswer, LedgerVerdict> read, LedgerCall call, LedgerAnswer answer)
    {
        try
        {
            return read(call, answer);
        }
#pragma warning disable CA1031 // Whatever a target stumbles over, the call was made and must not be forgotten.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return LedgerVerdict.Unknown($"{answer.Code}: unreadable ({exception.GetType().Name})");
        }
    }
}

/// <summary>What a call says of the target's health.</summary>
internal enum CallHealth
{
    /// <summary>It answered, whatever it said.</summary>
    Good,

    /// <summary>It asked for fewer calls.</summary>
    Refused,

    /// <summary>It failed or did not answer.</summary>
    Failed,
}
