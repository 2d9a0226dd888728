using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Sagas.Persistence;

/// <summary>
/// A change of the schema: an SQL file named <c>NNN_name.sql</c>, embedded in the assembly whose tables it creates.
/// </summary>
/// <param name="Version">The file's name without its extension; migrations are applied in this order.</param>
/// <param name="Sql">The file's content.</param>
public sealed partial record Migration(string Version, string Sql)
{
    /// <summary>SHA-256 of the content, hexadecimal.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql)));

    /// <summary>The files embedded in some assemblies, in one order.</summary>
    /// <exception cref="InvalidOperationException">Two files have the same number.</exception>
    public static IReadOnlyList<Migration> EmbeddedIn(params IEnumerable<Assembly> assemblies)
    {
        var migrations = assemblies
            .Distinct()
            .SelectMany(Read)
            .OrderBy(migration => migration.Version, StringComparer.Ordinal)
            .ToArray();
        foreach (var (former, latter) in migrations.Zip(migrations.Skip(1)))
        {
            if (former.Number == latter.Number)
                throw new InvalidOperationException($"Migrations {former.Version} and {latter.Version} have the same number.");
        }

        return migrations;
    }

    private string Number => Version[..Version.IndexOf('_', StringComparison.Ordinal)];

    private static IEnumerable<Migration> Read(Assembly assembly)
    {
        foreach (var name in assembly.GetManifestResourceNames().Where(name => FileName().IsMatch(name)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
            yield return new Migration(FileName().Match(name).Groups[1].Value, reader.ReadToEnd().ReplaceLineEndings("\n"));
        }
    }

    [GeneratedRegex(@"(?:^|\.)(\d{3,}_\w+)\.sql$")]
    private static partial Regex FileName();
}
