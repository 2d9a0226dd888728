using System.Reflection;
using Sagas.Customers;
using Sagas.Payments;
using Sagas.Services.Alarms;
using Sagas.Services.Alerts;
using Sagas.Services.Crm;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;
using Sagas.Services.ObjectStatus;
using Sagas.Services.Operations;
using Sagas.Services.Payments;

namespace Sagas.Host.Settings;

/// <summary>Finds settings that nobody reads, because their names are misspelled.</summary>
internal static class UnknownSettings
{
    // Two letters wrong, missing or too many.
    private const int FurthestTypo = 2;

    // Whatever is below them belongs to others, or may have any name.
    private static readonly string[] _open = ["Roles", "ConnectionStrings", "ShutdownTimeout", "Logging", "Serilog"];

    private static readonly Dictionary<string, IReadOnlyDictionary<string, Type?>> _sections = new(StringComparer.OrdinalIgnoreCase)
    {
        [CrmOptions.Section] = Keys(typeof(CustomerSyncOptions), typeof(CrmOptions)),
        [AlertsOptions.Section] = Keys(typeof(AlertsOptions)),
        [AlarmsOptions.Section] = Keys(typeof(AlarmsOptions)),
        [IngestOptions.Section] = Keys(typeof(IngestOptions)),
        [ObjectStatusOptions.Section] = Keys(typeof(ObjectStatusOptions)),
        [PaymentsOptions.Section] = With(Keys(typeof(PaymentsOptions)), "Redelivery", typeof(RedeliveryOptions)),
        ["Messages"] = Keys(typeof(MessagesOptions)),
        ["Operations"] = Keys(typeof(OperationsOptions)),
        ["RabbitMq"] = Names("Uri", "Prefetch", "Heartbeat"),
        ["Bus"] = Names("Transport"),
    };

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
                foreach (var unknown in Below(child, Keys(type)))
                    yield return unknown;
            }
        }
    }

    // Null for what is a single value, or a list or dictionary.
    private static Dictionary<string, Type?> Keys(params Type[] types) => types
        .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)).Where(property => property.CanWrite)
        .DistinctBy(property => property.Name, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(
            property => property.Name,
            property => property.PropertyType is { IsClass: true } type && type.Assembly.GetName().Name!.StartsWith("Sagas", StringComparison.Ordinal) ? type : null,
            StringComparer.OrdinalIgnoreCase);

    private static Dictionary<string, Type?> Names(params string[] names) =>
        names.ToDictionary(name => name, _ => (Type?)null, StringComparer.OrdinalIgnoreCase);

    private static Dictionary<string, Type?> With(Dictionary<string, Type?> keys, string name, Type type)
    {
        keys[name] = type;
        return keys;
    }

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
