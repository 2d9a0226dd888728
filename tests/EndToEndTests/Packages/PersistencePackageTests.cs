using System.Diagnostics;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Xml.Linq;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Packages;

/// <summary>The package of the persistence has what a user needs, and a service works with nothing else.</summary>
public sealed class PersistencePackageTests(ServersFixture servers) : IClassFixture<ServersFixture>, IDisposable
{
    private const string Version = "9.9.9-test";

    // Packages of its own: the version would stay in the user's folder, and be found there by the next run.
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk.Web">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <RestoreAdditionalProjectSources>{0}</RestoreAdditionalProjectSources>
            <RestorePackagesPath>{0}/packages</RestorePackagesPath>
            <RestoreFallbackFolders>{1}</RestoreFallbackFolders>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Sagas.Persistence" />
            <PackageReference Include="MassTransit.RabbitMQ" />
          </ItemGroup>
        </Project>
        """;

    private const string Versions = """
        <Project>
          <PropertyGroup>
            <ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally>
          </PropertyGroup>
          <Import Project="{0}/Directory.Packages.props" />
          <ItemGroup>
            <PackageVersion Include="Sagas.Persistence" Version="{1}" />
          </ItemGroup>
        </Project>
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_service_builds_and_runs_on_the_package_alone()
    {
        await DotnetAsync(
            "pack",
            Path.Combine(Repository.Root, "src", "Persistence"),
            "--no-build",
            $"-p:Version={Version}",
            "-o",
            _folder
        );
        CheckContents();
        await BuildServiceAsync();
        await using var database = await servers.CreateEmptyDatabaseAsync("package");
        await using var virtualHost = await servers.CreateVirtualHostAsync("package");
        await using var service = ProgramProcess.Start(
            "service",
            Path.Combine(_folder, "built", "Service"),
            ["--urls=http://127.0.0.1:0"],
            [new("ConnectionStrings:Postgres", database.ConnectionString), new("RabbitMq:Uri", $"{virtualHost.Uri}")],
            awaited: "Now listening on: "
        );
        using var http = new HttpClient { BaseAddress = new Uri((await service.ReadyAsync()).Split("on: ")[1]) };

        (await http.PostAsync(new Uri("orders/cat", UriKind.Relative), null)).EnsureSuccessStatusCode();

        await Eventually.EqualAsync(1, () => http.GetFromJsonAsync<int>(new Uri("announced", UriKind.Relative)));
        Assert.Equal(0, await service.TerminateAsync());
    }

    private void CheckContents()
    {
        using var package = ZipFile.OpenRead(Path.Combine(_folder, $"Sagas.Persistence.{Version}.nupkg"));
        var files = package.Entries.Select(entry => entry.FullName).ToArray();
        Assert.Contains("lib/net10.0/Sagas.Persistence.dll", files);
        Assert.Contains("lib/net10.0/Sagas.Persistence.xml", files);
        Assert.Contains("persistence.md", files);
        using var symbols = ZipFile.OpenRead(Path.Combine(_folder, $"Sagas.Persistence.{Version}.snupkg"));
        Assert.Contains("lib/net10.0/Sagas.Persistence.pdb", symbols.Entries.Select(entry => entry.FullName));

        using var stream = package.GetEntry("Sagas.Persistence.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().Single();
        XElement Of(string name) => metadata.Elements().Single(element => element.Name.LocalName == name);
        Assert.Equal("Apache-2.0", Of("license").Value);
        Assert.Equal("persistence.md", Of("readme").Value);
        Assert.NotNull(Of("repository").Attribute("commit"));
        Assert.Equal(
            ["MassTransit", "Microsoft.EntityFrameworkCore.Relational", "Npgsql.EntityFrameworkCore.PostgreSQL"],
            Of("dependencies").Elements().Elements().Select(dependency => dependency.Attribute("id")!.Value).Order()
        );
    }

    private async Task BuildServiceAsync()
    {
        var example = Path.Combine(Repository.Root, "examples", "outbox-in-your-service");
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "service")).FullName;
        foreach (var file in Directory.EnumerateFiles(example, "*.cs"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        var cache =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var project = Path.Combine(folder, "Service.csproj");
        await File.WriteAllTextAsync(project, string.Format(null, Project, _folder, cache));
        await File.WriteAllTextAsync(
            Path.Combine(folder, "Directory.Packages.props"),
            string.Format(null, Versions, Repository.Root, Version)
        );
        await DotnetAsync("build", project, "-o", Path.Combine(_folder, "built"));
    }

    private async Task DotnetAsync(string verb, string project, params string[] arguments)
    {
        using var dotnet = Process.Start(
            new ProcessStartInfo("dotnet", [verb, project, "-c", "Release", "-nologo", .. arguments])
            {
                RedirectStandardOutput = true,
                WorkingDirectory = _folder,
            }
        )!;
        var output = await dotnet.StandardOutput.ReadToEndAsync();
        await dotnet.WaitForExitAsync();
        Assert.True(dotnet.ExitCode == 0, output);
    }
}
