using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.CommandLine;

/// <summary>Every command that the README and Getting started show works as shown, against the demo that they start.</summary>
public sealed partial class DocumentedCommandsTests : IDisposable
{
    private static readonly string[] _pages = ["README.md", "docs/getting-started.md"];

    private readonly Dictionary<string, string> _variables = [];
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

        await using var demo = ProgramProcess.Start("demo", "Sagas.Cli", ["demo"], [], awaited: "/files/customers");
        await demo.ReadyAsync();
        var printed = demo.LastLines(100);
        foreach (Match variable in ExportedVariable().Matches(printed))
            _variables[variable.Groups[1].Value] = variable.Groups[2].Value;
        await CallAsync(printed);
        foreach (var command in commands)
        {
            if (IsOfSagas(command))
                await RunAsync(command);
            else
                Check(command);
        }

        Assert.Equal(0, await demo.TerminateAsync());
    }

    // The demo prints them as commands of curl, which may be missing here.
    private async Task CallAsync(string printed)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", _variables["SAGAS_API_KEY"]);
        using var overview = await client.GetAsync(OverviewAddress().Match(printed).Value);
        using var content = new StringContent("customer_id\nuploaded-1\n");
        using var upload = await client.PostAsync(UploadAddress().Match(printed).Value, content);

        Assert.Equal(HttpStatusCode.OK, overview.StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, upload.StatusCode);
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

    private async Task RunAsync(DocumentedCommand command)
    {
        // The demo of this test is the command without options: it runs until it is stopped.
        if (command.Text == "./sagas demo")
            return;
        var publishes = command.Output?.StartsWith("Published", StringComparison.Ordinal) == true;
        var expected = Spaces().Replace(command.Output ?? "", " ");
        (int ExitCode, string Output, string Error) run = default;
        if (publishes || expected.Length == 0)
            run = await BashAsync(command.Text);
        else
        {
            run = await Eventually.MatchesAsync(
                $"{command.Page}: {command.Text} shows '{expected}'",
                () => BashAsync(command.Text),
                each => each.Output.Contains(expected, StringComparison.Ordinal)
            );
        }

        Assert.True(run.ExitCode == 0, $"{command.Page}: {command.Text} ended with {run.ExitCode}: {run.Error}");
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Output, string Error)> BashAsync(string command)
    {
        var start = new ProcessStartInfo("bash", ["-c", command])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in _variables)
            start.Environment[name] = value;
        ProgramProcess.DoWithoutProfile(start);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, Spaces().Replace(output, " "), await error);
    }

    [GeneratedRegex("export (\\w+)='([^']+)'")]
    private static partial Regex ExportedVariable();

    [GeneratedRegex("http\\S+/api/v1/overview")]
    private static partial Regex OverviewAddress();

    [GeneratedRegex("(?<=curl .*)http\\S+/files/customers")]
    private static partial Regex UploadAddress();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
