using System.Text.RegularExpressions;

namespace Sagas.UnitTests.Architecture;

/// <summary>No folder or type has a catch-all name.</summary>
public sealed partial class NamingTests
{
    private static readonly string[] _catchAlls = ["Common", "Shared", "Core"];

    [Fact]
    public void No_folder_has_a_catch_all_name()
    {
        var folders = Repository.Folders().SelectMany(folder => folder.Split(Path.DirectorySeparatorChar)).Distinct().ToArray();

        Assert.Contains("Payments", folders);
        Assert.DoesNotContain(folders, IsCatchAll);
    }

    [Fact]
    public void No_project_has_a_catch_all_name() =>
        Assert.DoesNotContain(
            Repository.Files("*.csproj").SelectMany(file => Path.GetFileNameWithoutExtension(file).Split('.')),
            IsCatchAll
        );

    [Fact]
    public void No_namespace_has_a_catch_all_name()
    {
        var namespaces = Sources()
            .SelectMany(source => Namespace().Matches(source))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .ToArray();

        Assert.Contains("Sagas.Payments", namespaces);
        Assert.DoesNotContain(namespaces.SelectMany(name => name.Split('.')), IsCatchAll);
    }

    [Fact]
    public void No_type_has_a_vague_name()
    {
        var types = Sources()
            .SelectMany(source => Type().Matches(source))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .ToArray();

        Assert.Contains("PaymentStateMachine", types);
        Assert.DoesNotContain(types, name => Vague().IsMatch(name));
    }

    private static bool IsCatchAll(string name) => _catchAlls.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<string> Sources() => Repository.Files("*.cs").Select(File.ReadAllText);

    [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(
        @"^[ \t]*(?:(?:public|internal|private|protected|file|static|sealed|abstract|partial|readonly|ref)\s+)*"
            + @"(?:class|record struct|record class|record|struct|interface|enum)\s+(\w+)",
        RegexOptions.Multiline
    )]
    private static partial Regex Type();

    [GeneratedRegex("(Helper|Manager|Util|Utility|Utilitie)s?$")]
    private static partial Regex Vague();
}
