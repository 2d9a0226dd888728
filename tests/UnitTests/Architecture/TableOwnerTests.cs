using System.Text.RegularExpressions;

namespace Sagas.UnitTests.Architecture;

/// <summary>Only the owner of a table writes it; others call the owner.</summary>
public sealed class TableOwnerTests
{
    private static readonly Dictionary<string, string> _owners = new()
    {
        ["outbound_call"] = "OutboundCalls",
        ["rate_limit"] = "OutboundCalls",
        ["rate_limit_lease"] = "OutboundCalls",
    };

    public static TheoryData<string> Tables => [.. _owners.Keys];

    [Theory]
    [MemberData(nameof(Tables))]
    public void Only_its_owner_writes_a_table(string table)
    {
        var write = new Regex(
            $@"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE)\s+(ONLY\s+)?{table}\b",
            RegexOptions.IgnoreCase
        );
        var writers = Repository
            .Files("*.cs")
            .Select(file => Path.GetRelativePath(Path.Combine(Repository.Root, "src"), file))
            .Where(file =>
                !file.StartsWith("..", StringComparison.Ordinal)
                && write.IsMatch(File.ReadAllText(Path.Combine(Repository.Root, "src", file)))
            )
            .Select(file => file.Split(Path.DirectorySeparatorChar)[0])
            .Distinct();

        // The owner is among them: the pattern finds what it looks for.
        Assert.Equal([_owners[table]], writers);
    }
}
