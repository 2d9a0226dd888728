using System.Diagnostics;
using System.Runtime.Versioning;

namespace Sagas.UnitTests.CommandLine;

/// <summary>The command line reads the servers' ports and passwords from docker-compose's <c>.env</c>.</summary>
public sealed class ComposeSettingsTests
{
    private static readonly string[] _names =
    [
        "POSTGRES_PASSWORD",
        "POSTGRES_PORT",
        "RABBITMQ_PASSWORD",
        "RABBITMQ_PORT",
        "CALLBACK_API_KEY",
        "SAGAS_TAG",
    ];

    [Theory]
    [InlineData("Cannot connect to Postgres at localhost:1,", "POSTGRES_PORT", "1", "customers", "list")]
    [InlineData("localhost:1", "RABBITMQ_PORT", "1", "customers", "publish", "4711")]
    [InlineData("http://localhost:1/callback", "CALLBACK_PORT", "1", "objects", "post", "7")]
    public async Task A_server_is_expected_at_its_port(string said, string name, string value, params string[] args)
    {
        var run = await CommandLineRun.InAsync(
            new Dictionary<string, string>
            {
                [name] = value,
                ["POSTGRES_PASSWORD"] = "a-secret",
                ["RABBITMQ_PASSWORD"] = "a-secret",
            },
            args
        );

        Assert.Equal(3, run.ExitCode);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_settings_of_the_services_take_precedence()
    {
        var run = await CommandLineRun.InAsync(
            new Dictionary<string, string>
            {
                ["ConnectionStrings__Postgres"] = "Host=127.0.0.1;Port=2;Username=else",
                ["POSTGRES_PORT"] = "1",
            },
            "customers",
            "list"
        );

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("127.0.0.1:2, user else", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POSTGRES_PORT", "5432-5440", "customers", "list")]
    [InlineData("RABBITMQ_PORT", "0", "customers", "publish", "4711")]
    [InlineData("CALLBACK_PORT", "web", "objects", "post", "7")]
    public async Task An_invalid_port_is_named(string name, string value, params string[] args)
    {
        var run = await CommandLineRun.InAsync(new Dictionary<string, string> { [name] = value }, args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"{name} must be a port from 1 to 65535; '{value}' is not.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_script_reads_them_from_the_file_unless_the_environment_has_them()
    {
        if (OperatingSystem.IsWindows())
            return;
        var folder = Directory.CreateTempSubdirectory("sagas-env-").FullName;
        try
        {
            await WriteCheckoutAsync(folder);
            await File.WriteAllTextAsync(
                Path.Combine(folder, ".env"),
                "# POSTGRES_PASSWORD=no\r\n POSTGRES_PASSWORD = first\r\nPOSTGRES_PASSWORD='of-the-file'  # a remark\r\n"
                    + "RABBITMQ_PASSWORD=\"quoted~1\"\nRABBITMQ_PORT=\nPOSTGRES_PORT=6000\n"
                    + "CALLBACK_API_KEY=$(touch never)\nSAGAS_TAG=x"
            );

            var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, WorkingDirectory = folder };
            start.ArgumentList.Add(Path.Combine(folder, "sagas"));
            start.Environment["PATH"] = $"{folder}:{start.Environment["PATH"]}";
            start.Environment["POSTGRES_PORT"] = "7000";
            using var process = Process.Start(start)!;
            var found = (await process.StandardOutput.ReadToEndAsync()).Split('\n');
            await process.WaitForExitAsync();

            Assert.Equal(0, process.ExitCode);
            Assert.Equal(
                [
                    "CALLBACK_API_KEY=$(touch never)",
                    "POSTGRES_PASSWORD=of-the-file",
                    "POSTGRES_PORT=7000",
                    "RABBITMQ_PASSWORD=quoted~1",
                ],
                found.Where(line => _names.Contains(line.Split('=')[0])).Order(StringComparer.Ordinal)
            );
            Assert.False(File.Exists(Path.Combine(folder, "never")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Writes the script, the files that it looks at, and a <c>dotnet</c> that prints its environment.</summary>
    [UnsupportedOSPlatform("windows")]
    private static async Task WriteCheckoutAsync(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "src", "Cli"));
        Directory.CreateDirectory(Path.Combine(folder, "scripts"));
        foreach (var empty in (string[])["Directory.Build.props", "Directory.Packages.props"])
            await File.WriteAllTextAsync(Path.Combine(folder, empty), "");
        File.Copy(Path.Combine(Repository.Root, "sagas"), Path.Combine(folder, "sagas"));
        var dotnet = Path.Combine(folder, "dotnet");
        await File.WriteAllTextAsync(dotnet, "#!/bin/sh\n[ \"$1\" = build ] || env\n");
        File.SetUnixFileMode(dotnet, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
