namespace Sagas.UnitTests.Architecture;

/// <summary>Dependencies between folders go one way.</summary>
public sealed class NamespaceTests
{
    // From the bottom up: a folder may use those on the lines above its own. Folders within a folder belong to it.
    private const string Order = """
        Sagas.Contracts Sagas.Configuration Sagas.LocalServers
        Sagas.Persistence
        Sagas
        Sagas.Customers
        Sagas.Payments
        Sagas.Database

        Sagas.OutboundCalls Sagas.FileIntake Sagas.Services.Http Sagas.Services.Messages
        Sagas.Services.Modules
        Sagas.Services.Operations
        Sagas.Services.Payments Sagas.Services.Ingest Sagas.Services.ObjectStatus Sagas.Services.Alarms
        Sagas.Services.Crm Sagas.Services.Alerts
        Sagas.Services

        Sagas.Host.Settings
        Sagas.Host.Database
        Sagas.Host.Bus
        Sagas.Host.Http Sagas.Host.Logs Sagas.Host.Telemetry
        Sagas.Host.Health
        Sagas.Host

        Sagas.Simulators.Records
        Sagas.Simulators.Faults
        Sagas.Simulators.PaymentGateway Sagas.Simulators.Crm Sagas.Simulators.ObjectStatus Sagas.Simulators.Webhooks
        Sagas.Simulators

        Sagas.Cli.CommandLine
        Sagas.Cli.Broker Sagas.Cli.Database
        Sagas.Cli.Publish Sagas.Cli.Tables
        Sagas.Cli.Calls Sagas.Cli.Messages
        Sagas.Cli.Payments
        Sagas.Cli.Customers Sagas.Cli.Files Sagas.Cli.Alerts Sagas.Cli.Alarms Sagas.Cli.Objects
        Sagas.Cli.Operations
        Sagas.Cli.Demo Sagas.Cli.Generate Sagas.Cli.Migrate Sagas.Cli.Completion
        Sagas.Cli
        Sagas.Benchmarks

        Sagas.Examples.OrderShipment
        """;

    private static readonly Dictionary<string, int> _line = Order
        .Split('\n')
        .SelectMany((line, number) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => (name, number)))
        .ToDictionary(pair => pair.name, pair => pair.number);

    private static readonly Lazy<NamespaceDependencies> _dependencies = new(() =>
        new NamespaceDependencies(
            Repository
                .Files("*.cs")
                .Select(file => (Path.GetRelativePath(Repository.Root, file), File.ReadAllText(file)))
                .Where(file => !file.Item1.StartsWith("tests", StringComparison.Ordinal)),
            FolderOf
        )
    );

    [Fact]
    public void Folders_use_only_those_above_them_in_the_list()
    {
        var wrong = _dependencies
            .Value.All.Where(used => used.From != "" && used.To != "")
            .Where(used => _line[used.To] >= _line[used.From])
            .Select(used => $"{used.Path}: {used.From} uses {used.To}")
            .Distinct()
            .Order();

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_namespace_is_in_the_list() =>
        Assert.DoesNotContain(_dependencies.Value.Namespaces, name => FolderOf(name).Length == 0);

    [Theory]
    [InlineData("using Sagas.B;\nnamespace Sagas.A;\nclass X;", "Sagas.B")]
    [InlineData("using Own = Sagas.B.Y;\nnamespace Sagas.A;\nclass X;", "Sagas.B")]
    [InlineData("namespace Sagas.A;\nclass X { B.Y? _y; }", "Sagas.B")]
    [InlineData("namespace Sagas.A;\nclass X { Sagas.B.Y? _y; }", "Sagas.B")]
    [InlineData("namespace Sagas.A;\nclass X { Root? _root; }", "Sagas")]
    [InlineData("namespace Sagas.A;\nclass X { object Y(object o) => o.Extend(); }", "Sagas")]
    [InlineData("namespace Sagas.A;\nclass X { object? Y(Z z) => z.Root; } // Sagas.B.Y", null)]
    public void Each_way_of_using_a_folder_is_detected(string source, string? used)
    {
        var dependencies = new NamespaceDependencies(
            [
                ("a", source),
                ("b", "namespace Sagas.B;\nclass Y;"),
                (
                    "root",
                    "namespace Sagas;\nclass Root;\n"
                        + "static class Extensions\n{\n    public static object Extend(this object o) => o;\n}"
                ),
            ],
            name => name
        );

        Assert.Equal(used is null ? [] : [used], dependencies.All.Select(dependency => dependency.To));
    }

    // The persistence has MassTransit's namespaces besides its own.
    private static string FolderOf(string name)
    {
        if (name == "MassTransit" || name.StartsWith("MassTransit.", StringComparison.Ordinal))
            return "Sagas.Persistence";
        for (; name.Length > 0; name = name.LastIndexOf('.') is > 0 and var end ? name[..end] : "")
        {
            if (_line.ContainsKey(name))
                return name;
        }

        return "";
    }
}
