using System.ComponentModel;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Sagas.Configuration;
using Sagas.Host.Settings;
using Sagas.Services;

namespace Sagas.UnitTests.Architecture;

/// <summary>The part of docs/configuration.md that is written from the options classes and their comments.</summary>
internal static partial class ConfigurationReference
{
    private static readonly IReadOnlyList<OptionsSection> _sections = Sections.Of(Features.Product);
    private static readonly Dictionary<Assembly, Dictionary<string, XElement>> _comments = [];

    /// <summary>The roles, then a table per section.</summary>
    public static string Write()
    {
        var text = new StringBuilder("## Roles\n\n| Role | A process of this role |\n| --- | --- |\n");
        foreach (var role in Features.Product.Modules.SelectMany(module => module.Roles).DistinctBy(role => role.Name))
            text.Append($"| `{role.Name}` | {role.Description} |\n");
        foreach (
            var group in _sections
                .SelectMany(Setting.Of)
                .DistinctBy(setting => setting.Key)
                .GroupBy(SectionOf)
                .OrderBy(group => Position(group.Key))
        )
        {
            var level = group.Key.Contains(':', StringComparison.Ordinal) ? "###" : "##";
            text.Append($"\n{level} {(group.Key.Length == 0 ? "General" : group.Key)}\n");
            if (About(group.Key) is { } about)
                text.Append($"\n{about}\n");
            text.Append("\n| Setting | Default | Meaning |\n| --- | --- | --- |\n");
            foreach (var setting in group)
                text.Append($"| `{setting.Key}{Suffix(setting)}` | {Default(setting)} | {Meaning(setting)} |\n");
        }

        return text.ToString();
    }

    private static string SectionOf(Setting setting) =>
        setting.Key.LastIndexOf(':') is >= 0 and var end ? setting.Key[..end] : "";

    // Nested sections follow the one they are in.
    private static int Position(string section) =>
        _sections.Select((declared, index) => (declared.Name, index)).First(pair => pair.Name == section.Split(':')[0]).index;

    private static string? About(string section)
    {
        var declared = _sections.FirstOrDefault(one => one.Name == section);
        var about =
            declared is null ? Nested(section)
            : section.Length == 0 ? null
            : Summary($"T:{declared.Types[^1].FullName}", declared.Types[^1].Assembly);
        return about is null ? null : Capital(SectionPrefix().Replace(about, ""));
    }

    private static string? Nested(string section) =>
        _sections
            .Where(one => section.StartsWith(one.Name + ":", StringComparison.Ordinal))
            .SelectMany(one => one.Types)
            .SelectMany(Setting.PropertiesOf)
            .Where(property =>
                Setting.IsSection(property.PropertyType)
                && section.EndsWith(":" + property.Name, StringComparison.Ordinal)
                && _sections.Any(one => one.Types.Contains(property.DeclaringType!) && section == $"{one.Name}:{property.Name}")
            )
            .Select(property => Summary($"P:{property.DeclaringType!.FullName}.{property.Name}", property.DeclaringType.Assembly))
            .FirstOrDefault();

    private static string Suffix(Setting setting) =>
        setting.IsDictionary ? ":<name>"
        : setting.IsList ? ":0"
        : "";

    private static string Default(Setting setting) =>
        setting.Property.GetCustomAttribute<DefaultValueAttribute>()?.Value is string said ? said
        : setting.IsDictionary || setting.Default is null or "" ? "none"
        : $"`{Setting.Format(setting.Default)}`";

    private static string Meaning(Setting setting)
    {
        var property = setting.Property;
        var meaning =
            Summary($"P:{property.DeclaringType!.FullName}.{property.Name}", property.DeclaringType.Assembly)
            ?? throw new InvalidOperationException(
                $"{property.DeclaringType.Name}.{property.Name} has no summary, which docs/configuration.md shows."
            );
        if (setting.Range is var (min, max))
            meaning += $" From {Setting.Format(min)} to {Setting.Format(max)}.";
        if (setting.ValueType.IsEnum && !meaning.Contains('`', StringComparison.Ordinal))
            meaning += $" One of {string.Join(", ", Enum.GetNames(setting.ValueType).Select(name => $"`{name}`"))}.";
        return meaning.Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static string? Summary(string member, Assembly assembly)
    {
        if (!_comments.TryGetValue(assembly, out var comments))
        {
            var file = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"));
            _comments[assembly] = comments = file.Descendants("member").ToDictionary(one => one.Attribute("name")!.Value);
        }

        return comments.GetValueOrDefault(member)?.Element("summary") is { } summary
            ? Spaces().Replace(string.Concat(summary.Nodes().Select(Text)), " ").Trim()
            : null;
    }

    private static string Text(XNode node) =>
        node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
            XElement element => $"`{element.Value}`",
            _ => "",
        };

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    [GeneratedRegex("^Configuration section `[^`]*`: ")]
    private static partial Regex SectionPrefix();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
