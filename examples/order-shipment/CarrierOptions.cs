using Sagas.Configuration;
using Sagas.OutboundCalls;

namespace Sagas.Examples.OrderShipment;

/// <summary>Configuration section <c>Carrier</c>: where and how the carrier is called.</summary>
public sealed record CarrierOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Carrier";

    /// <summary>Address of the carrier; <c>/shipments</c> is added.</summary>
    public string Url { get; init; } = "http://localhost:5090";

    /// <summary>How calls are made: section <c>Carrier:Calls</c>.</summary>
    public OutboundCallOptions Calls { get; init; } = new();

    /// <summary>When calls are retried: section <c>Carrier:Retry</c>.</summary>
    public CallRetryOptions Retry { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            yield return $"{Section}:{nameof(Url)} must be an absolute http or https address.";
        foreach (var problem in Calls.Validate())
            yield return $"{Section}:{nameof(Calls)}: {problem}";
        foreach (var problem in Retry.Validate())
            yield return $"{Section}:{nameof(Retry)}: {problem}";
    }
}
