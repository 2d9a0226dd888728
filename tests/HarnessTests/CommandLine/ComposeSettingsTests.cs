using System.Diagnostics;
using Sagas.Harness.CommandLine;
using Sagas.HarnessTests.Simulators;

namespace Sagas.HarnessTests.CommandLine;

/// <summary>The command line finds docker-compose's servers where <c>.env</c> puts them.</summary>
public sealed class ComposeSettingsTests
{
    [Theory]
    [InlineData("Cannot connect to Postgres at localhost:1,", "POSTGRES_PORT", "1", "list", "customers")]
    [InlineData("localhost:1", "RABBITMQ_PORT", "1", "publish", "customer", "4711")]
    [InlineData("http://localhost:1/callback", "CALLBACK_PORT", "1", "publish", "objects", "7")]
    public async Task A_server_is_looked_for_at_its_port(string said, string name, string value, params string[] args)
    {
        var (exitCode, error) = await RunAsync(args, (name, value), ("POSTGRES_PASSWORD", "a-secret"), ("RABBITMQ_PASSWORD", "a-secret"));

        Assert.Equal(3, exitCode);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_services_read_comes_first()
    {
        var (exitCode, error) = await RunAsync(
            ["list", "customers"], ("ConnectionStrings__Postgres", "Host=127.0.0.1;Port=2;Username=else"), ("POSTGRES_PORT", "1"));

        Assert.Equal(3, exitCode);
        Assert.Contains("127.0.0.1:2, user else", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POSTGRES_PORT", "5432-5440", "list", "customers")]
    [InlineData("RABBITMQ_PORT", "0", "publish", "customer", "4711")]
    [InlineData("CALLBACK_PORT", "web", "publish", "objects", "7")]
    public async Task What_is_no_port_is_named(string name, string value, params string[] args)
    {
        var (exitCode, error) = await RunAsync(args, (name, value));

        Assert.Equal(2, exitCode);
        Assert.Contains($"{name} must be a port; it is '{value}'.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_script_reads_them_from_the_file_unless_the_environment_has_them()
    {
        if (OperatingSystem.IsWindows())
            return;
        var folder = Directory.CreateTempSubdirectory("sagas-env-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "src"));
            foreach (var empty in (string[])["Directory.Build.props", "Directory.Packages.props"])
                await File.WriteAllTextAsync(Path.Combine(folder, empty), "");
            File.Copy(Path.Combine(DeploymentTests.Root, "sagas"), Path.Combine(folder, "sagas"));
            // In place of dotnet: says what the command line would find.
            var dotnet = Path.Combine(folder, "dotnet");
            await File.WriteAllTextAsync(dotnet, "#!/bin/sh\n[ \"$1\" = build ] || env\n");
            File.SetUnixFileMode(dotnet, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            await File.WriteAllTextAsync(
                Path.Combine(folder, ".env"),
                "# POSTGRES_PASSWORD=no\r\n POSTGRES_PASSWORD = first\r\nPOSTGRES_PASSWORD='of-the-file'  # a remark\r\nRABBITMQ_PASSWORD=\"quoted~1\"\nRABBITMQ_PORT=\nPOSTGRES_PORT=6000\nCALLBACK_API_KEY=$(touch never)\nSAGAS_TAG=x");

            var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, WorkingDirectory = folder };
            start.ArgumentList.Add(Path.Combine(folder, "sagas"));
            start.Environment["PATH"] = $"{folder}:{start.Environment["PATH"]}";
            start.Environment["POSTGRES_PORT"] = "7000";
            using var process = Process.Start(start)!;
            var found = (await process.StandardOutput.ReadToEndAsync()).Split('\n');
            await process.WaitForExitAsync();

            Assert.Equal(0, process.ExitCode);
            string[] names = ["POSTGRES_PASSWORD", "POSTGRES_PORT", "RABBITMQ_PASSWORD", "RABBITMQ_PORT", "CALLBACK_API_KEY", "SAGAS_TAG"];
            Assert.Equal(
                ["CALLBACK_API_KEY=$(touch never)", "POSTGRES_PASSWORD=of-the-file", "POSTGRES_PORT=7000", "RABBITMQ_PASSWORD=quoted~1"],
                found.Where(line => names.Contains(line.Split('=')[0])).Order(StringComparer.Ordinal));
            Assert.False(File.Exists(Path.Combine(folder, "never")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Error)> RunAsync(string[] args, params (string Name, string Value)[] environment)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var terminal = new Terminal(output, error, width: 80)
        {
            Environment = name => environment.FirstOrDefault(variable => variable.Name == name).Value,
        };
        var exitCode = await CommandRun.RunAsync(args, terminal, CancellationToken.None);
        return (exitCode, error.ToString());
    }
}
