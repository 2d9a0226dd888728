using Sagas.Configuration;
using Sagas.Services.Operations.Access;

namespace Sagas.Services.Operations;

/// <summary>Configuration section <c>Operations</c>: the operators' interface.</summary>
public sealed record OperationsOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Operations";

    /// <summary>What callers send in <c>X-Api-Key</c> to change something over HTTP, except by <c>POST /callback</c>; at least 16
    /// characters. One key for all, with role <c>admin</c>; <c>Operations:Keys</c> has one for each.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Keys to the dashboard and the API, separated by commas, each as <c>name:role:hash</c> with the role
    /// <c>viewer</c>, <c>operator</c> or <c>admin</c> and the key's SHA-256 in hexadecimal. <c>sagas keys create</c> makes one.
    /// Without any key, they answer only callers on the same machine, who may look.</summary>
    public string? Keys { get; init; }

    internal IEnumerable<AccessKey> ParsedKeys =>
        Entries.Select(entry => AccessKey.TryParse(entry, out var key, out _) ? key : null).OfType<AccessKey>();

    private string[] Entries => Keys?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

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

        foreach (var entry in Entries)
        {
            if (!AccessKey.TryParse(entry, out _, out var problem))
                yield return $"{Section}:{nameof(Keys)} {problem}.";
        }

        var twice = ParsedKeys
            .GroupBy(key => key.Name, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(keys => keys.Count() > 1);
        if (twice is not null)
            yield return $"{Section}:{nameof(Keys)} has two keys of the name {twice.Key}: the audit could not tell them apart.";
    }

    // A record prints its members, and this one has a secret.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(nameof(ApiKey)).Append(" = ").Append(ApiKey is null ? "none" : "***");
        text.Append(", ").Append(nameof(Keys)).Append(" = ").AppendJoin(", ", ParsedKeys.Select(key => key.Name));
        return true;
    }
}
