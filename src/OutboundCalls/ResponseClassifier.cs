namespace Sagas.OutboundCalls;

/// <summary>Classifies responses: by rules that hold for every target first, by the target then.</summary>
internal static class ResponseClassifier
{
    public static CallOutcome Classify(CallTarget target, OutboundCall call, CallResponse response)
    {
        if (IsTransient(response.Code))
        {
            var outcome = target.ProvesNotExecuted(response)
                ? CallOutcome.Retryable($"{response.Code}: not executed")
                : CallOutcome.Unknown($"{response.Code}: failed");
            return outcome with { RetryAfter = response.RetryAfter };
        }

        // Said before the call is looked at, so it says nothing about the call.
        if (target.Options.IsRetryable(response.Code))
        {
            return CallOutcome.Retryable($"{response.Code}: wrong address or no access") with
            {
                RetryAfter = response.RetryAfter,
                IsMisconfigured = true,
            };
        }

        if (response.Code is < 200 or >= 500 or (>= 300 and < 400))
            return CallOutcome.Unknown($"{response.Code}: not a response to this call");
        if (!response.Complete && (target.NeedsCompleteBody || response.Code >= 300))
            return CallOutcome.Unknown($"{response.Code}: the body is cut off or longer than 64 KiB");

        // While an earlier attempt is still executed its key is in use: the response is about that attempt's timing.
        if (response.Code == 409 && call is { OutcomeUnknown: true, Mode: CallMode.IdempotencyKey })
            return CallOutcome.Unknown("409: an earlier attempt may be executing") with { RetryAfter = response.RetryAfter };
        return Ask(response.Code < 300 ? target.ReadSuccess : target.ReadRejection, call, response);
    }

    /// <summary>Classifies the response to a lookup. A rejected lookup says nothing about the call.</summary>
    public static CallOutcome ClassifyLookup(CallTarget target, OutboundCall call, CallResponse response)
    {
        var isFinal = response.Complete && !IsTransient(response.Code);
        var outcome =
            isFinal && response.Code is (>= 200 and < 300) or (>= 400 and < 500) ? Ask(target.ReadLookup, call, response) : null;
        return outcome is null or { Kind: CallOutcomeKind.AttemptRejected }
            ? CallOutcome.Unknown($"{response.Code} to the lookup") with
            {
                RetryAfter = response.RetryAfter,
            }
            : outcome;
    }

    /// <summary>Splits the response to several calls; where that fails, it says nothing about any of them.</summary>
    public static IReadOnlyList<CallResponse> Split(CallTarget target, IReadOnlyList<OutboundCall> calls, CallResponse response)
    {
        try
        {
            if (target.SplitResponse(calls, response) is { } responses && responses.Count == calls.Count)
                return responses;
        }
#pragma warning disable CA1031 // The calls were made, so whatever the target throws they need an outcome.
        catch (Exception)
#pragma warning restore CA1031
        {
            // As if it were not a response to these calls.
        }

        return [.. calls.Select(_ => response)];
    }

    /// <summary>What a response says about the target, regardless of what it says about the call.</summary>
    public static CallHealth Health(CallResponse response, CallOutcome outcome) =>
        response.Code switch
        {
            429 => CallHealth.Throttled,
            503 when response.RetryAfter is not null => CallHealth.Throttled,
            >= 500 => CallHealth.Failed,
            >= 200 and < 300 when outcome.Kind == CallOutcomeKind.Unknown => CallHealth.Failed,
            _ when outcome.IsMisconfigured => CallHealth.Failed,
            _ => CallHealth.Healthy,
        };

    private static bool IsTransient(int code) => code is 408 or 425 or 429 or >= 500;

    private static CallOutcome Ask(Func<OutboundCall, CallResponse, CallOutcome> read, OutboundCall call, CallResponse response)
    {
        try
        {
            return read(call, response);
        }
#pragma warning disable CA1031 // The call was made, so whatever the target throws it needs an outcome.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return CallOutcome.Unknown($"{response.Code}: unreadable ({exception.GetType().Name})");
        }
    }
}
