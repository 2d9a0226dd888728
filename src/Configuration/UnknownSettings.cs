using Microsoft.Extensions.Configuration;

namespace Sagas.Configuration;

/// <summary>Finds settings that nothing reads, because their names are misspelled.</summary>
/// <param name="sections">Every section that is read.</param>
/// <param name="foreign">Sections that others read.</param>
public sealed class UnknownSettings(IReadOnlyList<OptionsSection> sections, params IReadOnlyList<string> foreign)
{
    /// <summary>The settings that are not known, each with the one that may have been meant, or null.</summary>
    /// <param name="configuration">The whole configuration.</param>
    public IEnumerable<(string Key, string? Meant)> In(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var known = sections
            .Where(section => section.Name.Length > 0 && !section.Name.Contains(':', StringComparison.Ordinal))
            .ToDictionary(section => section.Name, StringComparer.OrdinalIgnoreCase);
        string[] roots =
        [
            .. known.Keys,
            .. foreign,
            .. sections.Where(section => section.Name.Length == 0).SelectMany(section => Names(section.Types).Keys),
        ];
        foreach (var root in configuration.GetChildren())
        {
            if (known.TryGetValue(root.Key, out var section))
            {
                foreach (var unknown in section.IsOpen ? [] : Below(root, Names(section)))
                    yield return unknown;
            }
            // Everything in the environment is a setting, and short names resemble many.
            else if (
                !roots.Contains(root.Key, StringComparer.OrdinalIgnoreCase)
                && NearestName.Of(root.Key, roots) is { Length: > 2 * NearestName.MaxTypos } meant
            )
                yield return (root.Key, meant);
        }
    }

    private static IEnumerable<(string Key, string? Meant)> Below(IConfigurationSection section, Dictionary<string, Type?> known)
    {
        foreach (var child in section.GetChildren())
        {
            if (!known.TryGetValue(child.Key, out var type))
                yield return (child.Path, NearestName.Of(child.Key, known.Keys) is { } meant ? $"{section.Path}:{meant}" : null);
            else if (type is not null)
            {
                foreach (var unknown in Below(child, Names([type])))
                    yield return unknown;
            }
        }
    }

    // With the sections below it, each by the last part of its name.
    private Dictionary<string, Type?> Names(OptionsSection section)
    {
        var names = Names(section.Types);
        foreach (var below in sections.Where(other => other.Name.StartsWith(section.Name + ":", StringComparison.Ordinal)))
            names[below.Name[(section.Name.Length + 1)..]] = below.Types[0];
        return names;
    }

    // Null for what is a single value, or a list or dictionary.
    private static Dictionary<string, Type?> Names(IEnumerable<Type> types) =>
        types
            .SelectMany(Setting.PropertiesOf)
            .DistinctBy(property => property.Name, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(
                property => property.Name,
                property => Setting.IsSection(property.PropertyType) ? property.PropertyType : null,
                StringComparer.OrdinalIgnoreCase
            );
}
