using System.Collections.Frozen;

namespace Sagas.Services.Modules;

/// <summary>The roles of a process.</summary>
/// <param name="names">Their names, in the order in which they are shown.</param>
public sealed class RoleSet(IReadOnlyList<string> names)
{
    private readonly FrozenSet<string> _names = names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the process has a role.</summary>
    public bool Has(string role) => _names.Contains(role);

    /// <summary>The names, separated by commas.</summary>
    public override string ToString() => string.Join(", ", names);
}
