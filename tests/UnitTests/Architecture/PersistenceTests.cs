using System.Text.RegularExpressions;

namespace Sagas.UnitTests.Architecture;

/// <summary>What the persistence shares with others: MassTransit's namespaces, and the numbers of advisory locks.</summary>
public sealed partial class PersistenceTests
{
    [Fact]
    public void Only_names_of_the_package_are_in_the_namespaces_of_the_package()
    {
        var misplaced = Sources("src/Persistence")
            .Where(source =>
                IsOfThePackage().IsMatch(source.Text)
                != source.Path.StartsWith("src/Persistence/MassTransit/", StringComparison.Ordinal)
            );

        Assert.Empty(misplaced.Select(source => source.Path));
    }

    [Fact]
    public void No_two_features_use_the_same_advisory_lock()
    {
        var locks = Sources("src")
            .SelectMany(source => Lock().Matches(source.Text), (source, match) => (source.Path, Number: match.Groups[1].Value))
            .ToArray();

        Assert.NotEmpty(locks);
        Assert.Empty(locks.GroupBy(one => one.Number).Where(same => same.Count() > 1).SelectMany(same => same));
    }

    [Fact]
    public void Every_advisory_lock_is_a_named_constant()
    {
        var literals = Sources("src").Where(source => LiteralLock().IsMatch(source.Text));

        Assert.Empty(literals.Select(source => source.Path));
    }

    private static IEnumerable<(string Path, string Text)> Sources(string folder) =>
        Repository
            .Files("*.cs")
            .Select(file => (Path: Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'), Text: File.ReadAllText(file)))
            .Where(source => source.Path.StartsWith(folder + "/", StringComparison.Ordinal));

    [GeneratedRegex("^namespace MassTransit", RegexOptions.Multiline)]
    private static partial Regex IsOfThePackage();

    [GeneratedRegex("""const string \w*AdvisoryLock = "(\d+)";""")]
    private static partial Regex Lock();

    [GeneratedRegex(@"pg_(try_)?advisory_\w+\(\d")]
    private static partial Regex LiteralLock();
}
