using System.Reflection;
using System.Xml.Linq;
using Sagas.Contracts;
using Sagas.FileIntake;
using Sagas.Host;
using Sagas.OutboundCalls;
using Sagas.Persistence;
using Sagas.Services.Payments;
using Sagas.Simulators;

namespace Sagas.UnitTests.Architecture;

/// <summary>Which project may use which: a project on the left uses only those on its right.</summary>
public sealed class DependencyTests
{
    private static readonly string[] _parts =
    [
        "Sagas.Configuration",
        "Sagas.Contracts",
        "Sagas.Persistence",
        "Sagas.FileIntake",
        "Sagas.OutboundCalls",
        "Sagas",
    ];

    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["Sagas.Configuration"] = [],
        ["Sagas.Contracts"] = [],
        ["Sagas.Persistence"] = [],
        ["Sagas.FileIntake"] = ["Sagas.Persistence"],
        ["Sagas.OutboundCalls"] = ["Sagas.Persistence"],
        ["Sagas"] = ["Sagas.Contracts", "Sagas.Persistence"],
        ["Sagas.Services"] = _parts,
        ["Sagas.Host"] = [.. _parts, "Sagas.Services"],
        ["Sagas.Simulators"] = ["Sagas.Configuration"],
        ["Sagas.LocalServers"] = [],
        ["Sagas.Cli"] = [.. _parts, "Sagas.Services", "Sagas.Host", "Sagas.Simulators", "Sagas.LocalServers"],
        ["Sagas.Benchmarks"] = ["Sagas.Cli"],
        ["Sagas.Examples.OrderShipment"] = ["Sagas.Host"],
        ["Sagas.Examples.OutboxInYourService"] = ["Sagas.Persistence"],
    };

    // The command line is not among them: this project does not reference it.
    private static readonly Assembly[] _assemblies =
    [
        typeof(CustomerRegistered).Assembly,
        typeof(SchemaMigrator).Assembly,
        typeof(FileProcessor).Assembly,
        typeof(CallTarget).Assembly,
        typeof(SagaIdentity).Assembly,
        typeof(PaymentsModule).Assembly,
        typeof(SagasHost).Assembly,
        typeof(SimulatorHost).Assembly,
    ];

    public static TheoryData<string> Projects => [.. _allowed.Keys];

    [Fact]
    public void Assemblies_use_only_what_the_list_allows()
    {
        foreach (var assembly in _assemblies)
            Assert.Empty(Ours(assembly).Except(_allowed[assembly.GetName().Name!]));
    }

    [Fact]
    public void The_contracts_use_only_the_runtime()
    {
        var used = typeof(CustomerRegistered).Assembly.GetReferencedAssemblies().Select(name => name.Name!);

        Assert.All(used, name => Assert.StartsWith("System.", name, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_files_reference_only_what_the_list_allows(string project)
    {
        var file = Assert.Single(Repository.Files(project + ".csproj"));
        var references = XDocument
            .Load(file)
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

        Assert.Empty(references.Except(_allowed[project]));
    }

    [Fact]
    public void Every_project_is_in_the_list()
    {
        var projects = Repository
            .Files("*.csproj")
            .Where(file => !Path.GetRelativePath(Repository.Root, file).StartsWith("tests", StringComparison.Ordinal))
            .Select(file => Path.GetFileNameWithoutExtension(file)!);

        Assert.Equal(_allowed.Keys.Order(), projects.Order());
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Internals_are_visible_to_tests_and_benchmarks_only(string project)
    {
        var friends = XDocument
            .Load(Assert.Single(Repository.Files(project + ".csproj")))
            .Descendants("InternalsVisibleTo")
            .Select(friend => friend.Attribute("Include")!.Value);

        Assert.All(friends, friend => Assert.Matches("Tests$|^Sagas.Benchmarks$", friend));
    }

    private static IEnumerable<string> Ours(Assembly assembly) =>
        assembly.GetReferencedAssemblies().Select(name => name.Name!).Where(_allowed.ContainsKey);
}
