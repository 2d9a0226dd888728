using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Sagas.UnitTests.Architecture;

/// <summary>Every package has one version, written in one place.</summary>
public sealed partial class PackageTests
{
    [Fact]
    public void No_project_sets_the_version_of_a_package()
    {
        var references = Projects().SelectMany(Packages).ToArray();

        Assert.NotEmpty(references);
        Assert.DoesNotContain(
            references,
            reference => reference.Attribute("Version") is not null || reference.Element("Version") is not null
        );
        Assert.DoesNotContain(
            references,
            reference => reference.Attribute("VersionOverride") is not null || reference.Element("VersionOverride") is not null
        );
    }

    [Fact]
    public void Each_package_that_is_used_has_one_exact_version_in_the_central_file()
    {
        var central = XDocument
            .Load(Path.Combine(Repository.Root, "Directory.Packages.props"))
            .Descendants("PackageVersion")
            .ToDictionary(package => package.Attribute("Include")!.Value, package => package.Attribute("Version")!.Value);

        Assert.All(central.Values, version => Assert.Matches(ExactVersion(), version));
        Assert.Empty(
            Projects().SelectMany(Packages).Select(reference => reference.Attribute("Include")!.Value).Except(central.Keys)
        );
        var settings = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props"));
        Assert.Equal("true", settings.Descendants("ManagePackageVersionsCentrally").Single().Value);
    }

    private static IEnumerable<string> Projects() =>
        Repository.Files("*.csproj").Concat(Repository.Files("*.props")).Concat(Repository.Files("*.targets"));

    private static IEnumerable<XElement> Packages(string file) =>
        XDocument.Load(file).Descendants("PackageReference").Where(reference => reference.Attribute("Include") is not null);

    [GeneratedRegex(@"^\d+\.\d+\.\d+(-[\w.]+)?$")]
    private static partial Regex ExactVersion();
}
