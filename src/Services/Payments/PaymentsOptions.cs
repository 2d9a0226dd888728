using Sagas.Configuration;
using Sagas.OutboundCalls;

namespace Sagas.Services.Payments;

/// <summary>Configuration section <c>Payments</c>: where and how the gateway is called.</summary>
public sealed record PaymentsOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Payments";

    /// <summary>Address of the gateway; <c>/payments</c> is added.</summary>
    public string GatewayUrl { get; init; } = "http://localhost:5081";

    /// <summary>How calls are made: section <c>Payments:Calls</c>.</summary>
    public OutboundCallOptions Calls { get; init; } = new();

    /// <summary>When calls are retried: section <c>Payments:Retry</c>.</summary>
    public CallRetryOptions Retry { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (
            !Uri.TryCreate(GatewayUrl, UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https")
            || url.Host.Length == 0
        )
            yield return $"{Section}:{nameof(GatewayUrl)} must be an absolute http or https address.";
        else if (url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
            yield return $"{Section}:{nameof(GatewayUrl)} must have no query, fragment or user name.";
        foreach (var problem in Calls.Validate())
            yield return $"{Section}:{nameof(Calls)}: {problem}";
        foreach (var problem in Retry.Validate())
            yield return $"{Section}:{nameof(Retry)}: {problem}";
    }
}
