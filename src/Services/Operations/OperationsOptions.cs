using Sagas.Configuration;

namespace Sagas.Services.Operations;

/// <summary>Configuration section <c>Operations</c>: the operators' interface.</summary>
public sealed record OperationsOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Operations";

    /// <summary>What callers send in <c>X-Api-Key</c> to change something over HTTP, except by <c>POST /callback</c>; at least 16
    /// characters. Without it, nothing can be changed over HTTP.</summary>
    public string? ApiKey { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        // Never the value: it is secret.
        if (ApiKey is { Length: < Http.ApiKey.MinLength })
        {
            yield return $"{Section}:{nameof(ApiKey)} is too short to be a secret: "
                + $"use at least {Http.ApiKey.MinLength} characters, "
                + "such as the output of 'openssl rand -hex 24' (as an environment variable: Operations__ApiKey).";
        }
    }

    // A record prints its members, and this one has a secret.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(nameof(ApiKey)).Append(" = ").Append(ApiKey is null ? "none" : "***");
        return true;
    }
}
