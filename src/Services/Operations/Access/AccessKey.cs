using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Sagas.Services.Http;

namespace Sagas.Services.Operations.Access;

/// <summary>What the owner of a key may do; each may do what those before it may.</summary>
public enum AccessRole
{
    /// <summary>Looks at everything; personal data is masked.</summary>
    Viewer,

    /// <summary>Sees personal data, and retries, revives, pauses and resumes.</summary>
    Operator,

    /// <summary>May do everything.</summary>
    Admin,
}

/// <summary>A key to the operators' interface. Its owner has the key; the configuration has its hash.</summary>
/// <param name="Name">Whose it is; the audit shows it.</param>
/// <param name="Role">What its owner may do.</param>
/// <param name="Hash">SHA-256 of the key.</param>
public sealed record AccessKey(string Name, AccessRole Role, ReadOnlyMemory<byte> Hash)
{
    private const int MaxNameLength = 50;

    /// <summary>The setting's form of a key.</summary>
    public static string Format(string name, AccessRole role, string key) =>
        $"{name}:{role.ToString().ToLowerInvariant()}:{Convert.ToHexStringLower(ApiKey.HashOf(key))}";

    /// <summary>Reads <c>name:role:hash</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="key">The key.</param>
    /// <param name="problem">What is wrong, without the hash; null: nothing.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out AccessKey? key, [NotNullWhen(false)] out string? problem)
    {
        var parts = text.Split(':', StringSplitOptions.TrimEntries);
        (key, problem) = (null, null);
        if (parts.Length != 3)
            problem = "has an entry that is not name:role:hash";
        else if (parts[0].Length is 0 or > MaxNameLength || parts[0].Any(char.IsControl))
            problem = $"has a name that is empty or longer than {MaxNameLength} characters";
        else if (!Enum.TryParse<AccessRole>(parts[1], ignoreCase: true, out var role) || !char.IsLetter(parts[1][0]))
            problem = $"has the unknown role '{parts[1]}' for {parts[0]}: use viewer, operator or admin";
        else if (parts[2].Length != 2 * SHA256.HashSizeInBytes || !parts[2].All(char.IsAsciiHexDigit))
            problem = $"has no SHA-256 in hexadecimal for {parts[0]}: `sagas keys create {parts[0]}` makes a key and its entry";
        else
            key = new(parts[0], role, Convert.FromHexString(parts[2]));
        return problem is null;
    }
}
