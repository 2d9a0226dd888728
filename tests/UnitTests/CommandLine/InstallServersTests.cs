using System.Diagnostics;
using Sagas.UnitTests.Architecture;

namespace Sagas.UnitTests.CommandLine;

/// <summary>The script that installs PostgreSQL and RabbitMQ, where the package manager only records its arguments.</summary>
public sealed class InstallServersTests : IDisposable
{
    private readonly string _machine = Directory.CreateTempSubdirectory("sagas-install-").FullName;

    public InstallServersTests()
    {
        Write("bin/apt-get", "#!/bin/sh\necho \"$*\" >>\"$SAGAS_SERVERS_ROOT/asked\"\n");
        Write("bin/id", "#!/bin/sh\necho 0\n");
    }

    private string Asked => Path.Combine(_machine, "asked");

    public void Dispose() => Directory.Delete(_machine, recursive: true);

    [Fact]
    public async Task Missing_servers_are_installed_without_asking_and_no_policy_file_remains()
    {
        var (exitCode, text) = await RunAsync($"{Script} --yes");

        Assert.True(exitCode == 0, text);
        Assert.EndsWith("postgresql rabbitmq-server", (await File.ReadAllTextAsync(Asked)).Trim(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_machine, "policy-rc.d", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Installed_servers_are_left_unchanged()
    {
        Write("usr/lib/postgresql/17/bin/initdb", "");

        Assert.Equal(0, (await RunAsync($"{Script} --yes postgresql")).ExitCode);
        Assert.False(File.Exists(Asked));
        Assert.Equal(0, (await RunAsync($"{Script} --yes")).ExitCode);
        Assert.EndsWith(" rabbitmq-server", (await File.ReadAllTextAsync(Asked)).Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_a_terminal_it_installs_nothing_and_shows_how()
    {
        var (exitCode, text) = await RunAsync($"{Script} </dev/null");

        Assert.Equal(1, exitCode);
        Assert.Contains("Missing: postgresql rabbitmq-server. Run again with --yes", text, StringComparison.Ordinal);
        Assert.False(File.Exists(Asked));
    }

    [Theory]
    [InlineData("n", false)]
    [InlineData("y", true)]
    [InlineData("", true)]
    public async Task In_a_terminal_it_asks(string answer, bool isInstalled)
    {
        if (!OperatingSystem.IsLinux())
            return;
        // `script` runs a command in a terminal of its own, and types there what it reads.
        var (exitCode, text) = await RunAsync($"echo '{answer}' | script -qec '{Script}' /dev/null");

        Assert.Contains("Install now? [Y/n]", text, StringComparison.Ordinal);
        Assert.Equal(isInstalled, exitCode == 0);
        Assert.Equal(isInstalled, File.Exists(Asked));
    }

    private static string Script => Path.Combine(Repository.Root, "scripts", "install-servers.sh");

    private void Write(string name, string content)
    {
        var path = Path.Combine(_machine, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private async Task<(int ExitCode, string Text)> RunAsync(string command)
    {
        var start = new ProcessStartInfo("bash", ["-c", $"exec 2>&1; {command}"])
        {
            RedirectStandardOutput = true,
            Environment = { ["PATH"] = $"{_machine}/bin:/usr/bin:/bin", ["SAGAS_SERVERS_ROOT"] = _machine },
        };
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, text);
    }
}
