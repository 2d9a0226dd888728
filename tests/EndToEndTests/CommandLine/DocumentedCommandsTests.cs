using System.Diagnostics;
using System.Text.RegularExpressions;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.CommandLine;

/// <summary>Every command that the README and Getting started show works as shown, against the demo that they start.</summary>
public sealed partial class DocumentedCommandsTests : IDisposable
{
    private static readonly string[] _pages = ["README.md", "docs/getting-started.md"];

    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-documented-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [PrivateServersFact]
    public async Task Commands_work_as_the_documentation_shows_them()
    {
        var commands = _pages.SelectMany(DocumentedCommand.Of).ToArray();
        Assert.All(_pages, page => Assert.Contains(commands, command => command.Page == page && IsOfSagas(command)));
        var sagas = Path.Combine(_folder, "sagas");
        await File.WriteAllTextAsync(
            sagas,
            $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "Sagas.Cli.dll")}' \"$@\"\n"
        );
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(sagas, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        await using var demo = ProgramProcess.Start("demo", "Sagas.Cli", ["demo"], [], awaited: "--rabbitmq amqp");
        var rabbitMq = RabbitMqOption().Match(await demo.ReadyAsync()).Groups[1].Value;
        var postgres = PostgresOption().Match(demo.LastLines(100)).Groups[1].Value;
        foreach (var command in commands)
        {
            if (IsOfSagas(command))
                await RunAsync(command, postgres, rabbitMq);
            else
                Check(command);
        }

        Assert.Equal(0, await demo.TerminateAsync());
    }

    private static bool IsOfSagas(DocumentedCommand command) => command.Text.Contains("./sagas ", StringComparison.Ordinal);

    // What tests cannot run: containers need Docker, and test.sh runs these tests.
    private static void Check(DocumentedCommand command)
    {
        var words = command.Text.Split(' ');
        if (words[0] == "docker-compose")
        {
            var compose = File.ReadAllText(Path.Combine(Repository.Root, "docker-compose.yml"));
            Assert.Contains(words[1], (string[])["up", "run", "down"]);
            Assert.All(
                words.Skip(2).Where(word => !word.StartsWith('-')),
                service => Assert.Contains($"\n  {service}:\n", compose, StringComparison.Ordinal)
            );
        }
        else
        {
            Assert.Equal("./test.sh", words[0]);
            Assert.True(File.Exists(Path.Combine(Repository.Root, words[0])));
        }
    }

    private async Task RunAsync(DocumentedCommand command, string postgres, string rabbitMq)
    {
        // The demo of this test is the command without options: it runs until it is stopped.
        if (command.Text == "./sagas demo")
            return;
        var publishes = command.Output?.StartsWith("Published", StringComparison.Ordinal) == true;
        var expected = Spaces().Replace(command.Output ?? "", " ");
        (int ExitCode, string Output, string Error) run = default;
        if (publishes || expected.Length == 0)
            run = await BashAsync(command.Text, postgres, rabbitMq);
        else
        {
            run = await Eventually.MatchesAsync(
                $"{command.Page}: {command.Text} shows '{expected}'",
                () => BashAsync(command.Text, postgres, rabbitMq),
                each => each.Output.Contains(expected, StringComparison.Ordinal)
            );
        }

        Assert.True(run.ExitCode == 0, $"{command.Page}: {command.Text} ended with {run.ExitCode}: {run.Error}");
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Output, string Error)> BashAsync(string command, string postgres, string rabbitMq)
    {
        var start = new ProcessStartInfo("bash", ["-c", command])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ConnectionStrings__Postgres"] = postgres, ["RabbitMq__Uri"] = rabbitMq },
        };
        ProgramProcess.DoWithoutProfile(start);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, Spaces().Replace(output, " "), await error);
    }

    [GeneratedRegex("--postgres \"([^\"]+)\"")]
    private static partial Regex PostgresOption();

    [GeneratedRegex(@"--rabbitmq (\S+)")]
    private static partial Regex RabbitMqOption();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
