using System.ComponentModel.DataAnnotations;
using Sagas.Configuration;
using Sagas.Customers;
using Sagas.OutboundCalls;

namespace Sagas.Services.Crm;

/// <summary>Configuration section <c>Crm</c>: where and how customers are sent to the CRM.</summary>
public sealed record CrmOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = CustomerSyncOptions.Section;

    /// <summary>Address of the CRM; <c>/customers</c> is added.</summary>
    public string Url { get; init; } = "http://localhost:5081/crm";

    /// <summary>How a call whose outcome is unknown is resolved.</summary>
    public CallMode Mode { get; init; }

    /// <summary>Most customers in one request.</summary>
    [Range(1, 500)]
    public int BatchSize { get; init; } = 1;

    /// <summary>Where requests with several customers go, added to <see cref="Url"/>.</summary>
    public string BatchPath { get; init; } = "customers/batch";

    /// <summary>Header <c>Authorization</c> of every request, such as <c>Bearer …</c>; never logged.</summary>
    public string? Authorization { get; init; }

    /// <summary>How calls are made: section <c>Crm:Calls</c>.</summary>
    public OutboundCallOptions Calls { get; init; } = new();

    /// <summary>When calls are retried: section <c>Crm:Retry</c>.</summary>
    public CallRetryOptions Retry { get; init; } = new();

    /// <summary>
    /// In mode <see cref="CallMode.Lookup"/>: how long after an unknown outcome the CRM is asked at the earliest.
    /// </summary>
    public TimeSpan LookupDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
            yield return $"{Section}:{nameof(Url)} must be an absolute http or https address.";
        else if (url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
            yield return $"{Section}:{nameof(Url)} must have no query, fragment or user name.";
        if (!Enum.IsDefined(Mode))
            yield return $"{Section}:{nameof(Mode)} must be one of {string.Join(", ", Enum.GetNames<CallMode>())}.";
        if (string.IsNullOrWhiteSpace(BatchPath) || BatchPath.AsSpan().ContainsAny("?#") || BatchPath.Any(char.IsControl))
            yield return $"{Section}:{nameof(BatchPath)} must be a path without query and fragment.";
        // Never the value: it is the secret.
        if (Authorization is { } secret && (string.IsNullOrWhiteSpace(secret) || secret.Any(sign => sign is < ' ' or > '~')))
            yield return $"{Section}:{nameof(Authorization)} must be visible ASCII characters, such as Bearer and a token.";
        if (LookupDelay < TimeSpan.Zero)
            yield return $"{Section}:{nameof(LookupDelay)} must not be negative.";
        foreach (var problem in Calls.Validate())
            yield return $"{Section}:{nameof(Calls)}: {problem}";
        foreach (var problem in Retry.Validate())
            yield return $"{Section}:{nameof(Retry)}: {problem}";
    }

    // A record prints its members; this keeps the secret out of logs.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{nameof(Url)} = {Url}, {nameof(Mode)} = {Mode}, {nameof(BatchSize)} = {BatchSize}"
        );
        return true;
    }
}
