namespace Sagas.Configuration;

/// <summary>A configuration section.</summary>
/// <param name="Name">Its path, such as <c>Payments:Redelivery</c>; empty for the settings that are in no section.</param>
/// <param name="Types">The options classes whose writable properties are its settings.</param>
public sealed record OptionsSection(string Name, params IReadOnlyList<Type> Types)
{
    /// <summary>Whether others read settings of this section too, so that a name may be known to them alone.</summary>
    public bool IsOpen { get; init; }
}
