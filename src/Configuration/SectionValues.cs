using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Sagas.Configuration;

/// <summary>The values of a section: those that can be read, and what is wrong with the others.</summary>
internal sealed class SectionValues
{
    private readonly IConfiguration _readable;

    public SectionValues(IConfiguration configuration, OptionsSection section)
    {
        var source = section.Name.Length == 0 ? configuration : configuration.GetSection(section.Name);
        var values = source
            .AsEnumerable(makePathsRelative: true)
            .Where(pair => pair.Value is not null)
            .ToDictionary(StringComparer.OrdinalIgnoreCase);
        var problems = new List<string>();
        foreach (var setting in Setting.Of(section))
        {
            foreach (var (key, text) in Configured(values, section, setting))
            {
                // An empty environment variable counts as not set, except where the empty text is a value.
                if (text.Length == 0 && (setting.ValueType != typeof(string) || setting.Default is null))
                    values.Remove(key);
                else if (setting.Problem(section.Name.Length == 0 ? key : $"{section.Name}:{key}", text) is { } problem)
                {
                    problems.Add(problem);
                    values.Remove(key);
                }
                // The binder reads .NET's own format only.
                else if (setting.ValueType == typeof(TimeSpan) && Duration.TryParse(text, out var duration))
                    values[key] = duration.ToString("c", CultureInfo.InvariantCulture);
            }
        }

        Problems = problems;
        _readable = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }

    /// <summary>One sentence for each value that cannot be read.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>Sets the properties to the values that can be read.</summary>
    public void Bind(object options) => _readable.Bind(options);

    private static List<(string Key, string Text)> Configured(
        Dictionary<string, string?> values,
        OptionsSection section,
        Setting setting
    )
    {
        var key = section.Name.Length == 0 ? setting.Key : setting.Key[(section.Name.Length + 1)..];
        return setting.IsList
                ?
                [
                    .. values
                        .Where(pair => pair.Key.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase))
                        .Select(pair => (pair.Key, pair.Value!)),
                ]
            : values.TryGetValue(key, out var text) ? [(key, text!)]
            : [];
    }
}
