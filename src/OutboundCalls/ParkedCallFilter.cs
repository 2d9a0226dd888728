namespace Sagas.OutboundCalls;

/// <summary>Which parked calls; null does not restrict.</summary>
public sealed record ParkedCallFilter
{
    /// <summary>Only calls to this target.</summary>
    public string? Target { get; init; }

    /// <summary>No calls to this target; its pause is ended all the same.</summary>
    public string? ExceptTarget { get; init; }

    /// <summary>Only calls with one of these idempotency keys.</summary>
    public IReadOnlyCollection<string>? Keys { get; init; }

    /// <summary>Only calls of this saga or file.</summary>
    public Guid? CorrelationId { get; init; }
}
