using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Sagas.Services.Http;

namespace Sagas.Services.Operations.Access;

/// <summary>The keys of the configuration.</summary>
internal sealed class AccessKeys(IOptions<OperationsOptions> options)
{
    /// <summary>The name of the key in <c>Operations:ApiKey</c>.</summary>
    public const string SharedName = "operator";

    private readonly IReadOnlyList<AccessKey> _keys = Read(options.Value);

    /// <summary>Whether there is one.</summary>
    public bool Any => _keys.Count > 0;

    /// <summary>Finds a key, in a time that does not depend on how much of it is right.</summary>
    public AccessKey? Find(string? given)
    {
        if (string.IsNullOrEmpty(given))
            return null;
        var hash = ApiKey.HashOf(given);
        AccessKey? found = null;
        foreach (var key in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash.Span))
                found = key;
        }

        return found;
    }

    /// <summary>Whether a name still has a role.</summary>
    public bool Has(string? name, string? role) => _keys.Any(key => key.Name == name && key.Role.ToString() == role);

    private static AccessKey[] Read(OperationsOptions options)
    {
        var keys = options.ParsedKeys.ToList();
        if (options.ApiKey is { } shared)
            keys.Add(new(SharedName, AccessRole.Admin, ApiKey.HashOf(shared)));
        return [.. keys];
    }
}
