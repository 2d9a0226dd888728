using System.Text.Json;

namespace Sagas.OutboundCalls;

/// <summary>The outcome of an attempt.</summary>
public sealed record CallOutcome
{
    private CallOutcome(CallOutcomeKind kind, string description) => (Kind, Description) = (kind, description);

    /// <summary>What it means for the call.</summary>
    public CallOutcomeKind Kind { get; }

    /// <summary>For people, without personal data.</summary>
    public string Description { get; }

    /// <summary>What is kept of the response, JSON.</summary>
    public string? Response { get; private init; }

    /// <summary>The message to publish in the transaction that writes the outcome.</summary>
    public object? Event { get; private init; }

    /// <summary>The earliest time from now at which the call may be retried.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The target's address or our access is wrong (<see cref="OutboundCallOptions.RetryableStatuses"/>).</summary>
    internal bool IsMisconfigured { get; init; }

    /// <summary>The target says that it is gone for good: it is disabled until an operator enables it. Only for targets with a
    /// <see cref="CallTarget.Limit"/>.</summary>
    public bool TargetGone { get; init; }

    /// <summary>The call had its effect.</summary>
    /// <param name="description">The outcome, in plain text.</param>
    /// <param name="response">What to keep of the response; serialised as JSON.</param>
    /// <param name="message">The message to publish.</param>
    public static CallOutcome Succeeded(string description, object? response, object? message) =>
        new(CallOutcomeKind.Succeeded, description) { Response = Json(response), Event = message };

    /// <summary>The target knows the call and rejects it for good: it has no effect and never had.</summary>
    /// <inheritdoc cref="Succeeded" />
    public static CallOutcome Rejected(string description, object? response, object? message) =>
        new(CallOutcomeKind.Rejected, description) { Response = Json(response), Event = message };

    /// <summary>The target rejects this attempt for good, which says nothing about earlier attempts (no access, no such path):
    /// a call with an unknown outcome is parked instead.</summary>
    /// <inheritdoc cref="Succeeded" />
    public static CallOutcome AttemptRejected(string description, object? response, object? message) =>
        new(CallOutcomeKind.AttemptRejected, description) { Response = Json(response), Event = message };

    /// <summary>This attempt is proved to have had no effect; it may be made again.</summary>
    /// <param name="description">The outcome, in plain text.</param>
    public static CallOutcome Retryable(string description) => new(CallOutcomeKind.Retryable, description);

    /// <summary>This attempt may have had its effect.</summary>
    /// <param name="description">The outcome, in plain text.</param>
    public static CallOutcome Unknown(string description) => new(CallOutcomeKind.Unknown, description);

    /// <summary>An operator has to decide.</summary>
    /// <param name="description">Why.</param>
    public static CallOutcome Parked(string description) => new(CallOutcomeKind.Parked, description);

    private static string? Json(object? response) =>
        response is null ? null : JsonSerializer.Serialize(response, JsonSerializerOptions.Web);
}
