using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Sagas.UnitTests.Simulators;

/// <summary>The files of the deployment agree with each other.</summary>
public sealed partial class DeploymentTests
{
    [Fact]
    public void The_image_restores_every_project_it_builds()
    {
        var dockerfile = Read("deploy/Dockerfile");
        var projects = Directory
            .GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'));

        Assert.All(
            projects,
            project => Assert.Contains($"COPY {project} {Path.GetDirectoryName(project)}/", dockerfile, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Everything_the_image_copies_is_in_its_build_context()
    {
        var allowed = Read(".dockerignore").Split('\n').Where(line => line.StartsWith('!')).Select(line => line[1..]).ToArray();
        var copied = Read("deploy/Dockerfile")
            .Split('\n')
            .Where(line =>
                line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal)
            )
            .SelectMany(line => line.Split(' ')[1..^1]);

        Assert.All(
            copied,
            path =>
                Assert.True(
                    Path.Exists(Path.Combine(Repository.Root, path))
                        && allowed.Any(entry => path == entry || path.StartsWith(entry + "/", StringComparison.Ordinal)),
                    $"{path} does not exist, or .dockerignore keeps it out."
                )
        );
    }

    [Fact]
    public void Every_setting_of_the_compose_file_is_documented_with_its_default()
    {
        var used = Setting()
            .Matches(Read("docker-compose.yml"))
            .Select(match => $"#{match.Groups["name"].Value}={match.Groups["default"].Value}")
            .Distinct()
            .Order();
        var documented = Read(".env.example").Split('\n').Where(line => DocumentedSetting().IsMatch(line)).Order();

        Assert.Equal(used, documented);
    }

    [Fact]
    public void Ports_are_published_on_the_loopback_interface_only()
    {
        var published = PublishedPort().Matches(Read("docker-compose.yml")).Select(match => match.Value).ToArray();

        Assert.Equal(8, published.Length);
        Assert.All(published, port => Assert.StartsWith("\"127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_script_reports_a_missing_dotnet()
    {
        if (OperatingSystem.IsWindows())
            return;
        var tools = Directory.CreateTempSubdirectory("no-dotnet").FullName;
        try
        {
            foreach (var tool in (string[])["dirname", "readlink"])
                File.CreateSymbolicLink(
                    Path.Combine(tools, tool),
                    File.Exists($"/usr/bin/{tool}") ? $"/usr/bin/{tool}" : $"/bin/{tool}"
                );
            var start = new ProcessStartInfo("/bin/sh") { RedirectStandardError = true, WorkingDirectory = tools };
            start.ArgumentList.Add(Path.Combine(Repository.Root, "sagas"));
            start.Environment["PATH"] = tools;
            start.Environment["HOME"] = tools;
            using var process = Process.Start(start)!;
            var said = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();

            Assert.Equal(127, process.ExitCode);
            Assert.Contains("the .NET 10 SDK is needed", said, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(tools, recursive: true);
        }
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    [GeneratedRegex(@"\$\{(?<name>[A-Z_]+):-(?<default>[^}]*)\}")]
    private static partial Regex Setting();

    [GeneratedRegex("^#[A-Z_]+=")]
    private static partial Regex DocumentedSetting();

    // A port in quotes: an address or a setting, then the container's own port.
    [GeneratedRegex(
        """
            "[^"\s]*:\d+"
            """
    )]
    private static partial Regex PublishedPort();
}
