using System.Reflection;
using Sagas.Services;
using Sagas.Services.Messages;
using Sagas.Services.Modules;

namespace Sagas.Host.Settings;

/// <summary>Finds settings that nobody reads, because their names are misspelled.</summary>
internal static class UnknownSettings
{
    // Two letters wrong, missing or too many.
    private const int FurthestTypo = 2;

    // Whatever is below them belongs to others, or may have any name.
    private static readonly string[] _open = ["Roles", "ConnectionStrings", "ShutdownTimeout", "Logging", "Serilog"];

    private static readonly OptionsSection[] _all =
    [
        .. Features.All.SelectMany(module => module.Sections),
        new(MessagesOptions.Section, typeof(MessagesOptions)),
    ];

    private static readonly Dictionary<string, IReadOnlyDictionary<string, Type?>> _sections = new(
        _all.Where(section => !section.Name.Contains(':', StringComparison.Ordinal)).Select(section => KeyValuePair.Create(section.Name, Keys(section)))
            .Append(KeyValuePair.Create("RabbitMq", Names("Uri", "Prefetch", "Heartbeat")))
            .Append(KeyValuePair.Create("Bus", Names("Transport"))),
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The settings that are not known, each with the one that may have been meant, or null.</summary>
    public static IEnumerable<(string Key, string? Meant)> In(IConfiguration configuration)
    {
        var roots = _sections.Keys.Concat(_open).ToArray();
        foreach (var root in configuration.GetChildren())
        {
            if (_sections.TryGetValue(root.Key, out var known))
            {
                foreach (var unknown in Below(root, known))
                    yield return unknown;
            }
            // Everything in the environment is a setting: only what resembles one of ours may be meant for us, and short names resemble many.
            else if (!_open.Contains(root.Key, StringComparer.OrdinalIgnoreCase) && Nearest(root.Key, roots) is { } meant && meant.Length > 2 * FurthestTypo)
                yield return (root.Key, meant);
        }
    }

    private static IEnumerable<(string Key, string? Meant)> Below(IConfigurationSection section, IReadOnlyDictionary<string, Type?> known)
    {
        foreach (var child in section.GetChildren())
        {
            if (!known.TryGetValue(child.Key, out var type))
                yield return (child.Path, Nearest(child.Key, known.Keys) is { } meant ? $"{section.Path}:{meant}" : null);
            else if (type is not null)
            {
                foreach (var unknown in Below(child, Keys([type])))
                    yield return unknown;
            }
        }
    }

    // With the sections below it, each by the last part of its name.
    private static IReadOnlyDictionary<string, Type?> Keys(OptionsSection section)
    {
        var keys = Keys(section.Types);
        foreach (var below in _all.Where(other => other.Name.StartsWith(section.Name + ":", StringComparison.Ordinal)))
            keys[below.Name[(section.Name.Length + 1)..]] = below.Types[0];
        return keys;
    }

    // Null for what is a single value, or a list or dictionary.
    private static Dictionary<string, Type?> Keys(IEnumerable<Type> types) => types
        .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)).Where(property => property.CanWrite)
        .DistinctBy(property => property.Name, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(
            property => property.Name,
            property => property.PropertyType is { IsClass: true } type && type.Assembly.GetName().Name!.StartsWith("Sagas", StringComparison.Ordinal) ? type : null,
            StringComparer.OrdinalIgnoreCase);

    private static IReadOnlyDictionary<string, Type?> Names(params string[] names) =>
        names.ToDictionary(name => name, _ => (Type?)null, StringComparer.OrdinalIgnoreCase);

    private static string? Nearest(string name, IEnumerable<string> known) => known
        .Select(candidate => (candidate, Distance: Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant())))
        .Where(pair => pair.Distance <= FurthestTypo && pair.Distance < pair.candidate.Length)
        .OrderBy(pair => pair.Distance).Select(pair => pair.candidate).FirstOrDefault();

    // Levenshtein's: how many letters to change, add or leave out.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
