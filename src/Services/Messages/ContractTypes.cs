using System.Collections.Frozen;
using Sagas.Contracts;

namespace Sagas.Services.Messages;

/// <summary>Messages by their short names, which are also the names of their exchanges.</summary>
/// <param name="further">The messages of modules, besides those of <c>Sagas.Contracts</c>.</param>
public sealed class ContractTypes(IEnumerable<Type> further)
{
    private const string UrnPrefix = "urn:message:";

    private readonly FrozenDictionary<string, Type> _byName = typeof(CustomerRegistered)
        .Assembly.GetExportedTypes()
        .Where(type => type is { IsClass: true, IsAbstract: false } && type.Namespace == typeof(CustomerRegistered).Namespace)
        .Concat(further)
        .ToFrozenDictionary(type => type.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The messages of <c>Sagas.Contracts</c>.</summary>
    public static ContractTypes Product { get; } = new([]);

    /// <summary>Whether a type is one of these messages.</summary>
    /// <param name="type">Any type.</param>
    public bool Contains(Type type) => _byName.TryGetValue(type.Name, out var contract) && contract == type;

    /// <summary>The message of a name.</summary>
    /// <param name="name">A short name such as <c>PaymentRequested</c>, or the same with its namespace or as MassTransit's
    /// URN.</param>
    /// <returns>Null when there is no such message.</returns>
    public Type? Find(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
            return null;
        var plain = name.AsSpan().Trim();
        if (plain.StartsWith(UrnPrefix, StringComparison.OrdinalIgnoreCase))
            plain = plain[UrnPrefix.Length..];
        plain = plain[(plain.LastIndexOfAny('.', ':') + 1)..];
        return _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(plain, out var type) ? type : null;
    }
}
