using System.Diagnostics;

namespace Sagas.UnitTests.CommandLine;

/// <summary>Shell completion, which asks the program for suggestions.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-completion-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("sagas pay", "payments")]
    [InlineData("sagas payments re", "revive")]
    [InlineData("sagas payments list --st", "--state")]
    [InlineData("sagas payments list --state Proc", "Processing")]
    [InlineData("sagas completion f", "fish")]
    public async Task The_program_suggests_what_can_follow(string line, string expected)
    {
        var run = await CommandLineRun.OfAsync($"[suggest:{line.Length}]", line);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal([expected], run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    [Fact]
    public async Task Suggestions_for_an_empty_line_are_all_nouns()
    {
        var suggestions = (await CommandLineRun.OfAsync("[suggest:6]", "sagas ")).Output.Split(
            '\n',
            StringSplitOptions.TrimEntries
        );

        var nouns = Cli
            .Program.Commands(new Cli.CommandLine.Terminal(TextWriter.Null, TextWriter.Null))
            .Subcommands.Select(noun => noun.Name);
        Assert.Superset(nouns.ToHashSet(), suggestions.ToHashSet());
    }

    [Theory]
    [InlineData("sagas pay", "payments")]
    [InlineData("sagas customers l", "list")]
    [InlineData("./sagas deadletters ", "list show retry --json")]
    [InlineData("sagas payments list --state Aw", "AwaitingCustomer")]
    [InlineData("sagas files ingest cust", "")]
    public async Task Bash_completes_with_the_script_that_it_sourced(string line, string expected)
    {
        if (OperatingSystem.IsWindows())
            return;
        await WriteAsync("sagas", $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "Sagas.Cli.dll")}' \"$@\"\n");
        var script = await WriteAsync("script", (await CommandLineRun.OfAsync("completion", "bash")).Output);

        // As bash calls the function: the words, the one at the cursor, and the line up to it.
        var words = line.Split(' ');
        var reply = await BashAsync(
            $"""
            set -eu; cd '{_folder}'; source '{script}'
            complete -p sagas ./sagas >/dev/null
            COMP_WORDS=({string.Join(' ', words.Select(word => $"'{word}'"))}); COMP_CWORD={words.Length - 1}
            COMP_LINE='{line}'; COMP_POINT={line.Length}
            _sagas
            echo "${"{COMPREPLY[*]-}"}"
            """
        );

        Assert.Superset(expected.Split(' ').ToHashSet(), reply.Split(' ').ToHashSet());
        Assert.All(
            reply.Split(' '),
            word => Assert.StartsWith(expected.Length > 0 ? words[^1] : "", word, StringComparison.Ordinal)
        );
        Assert.Equal(expected.Length == 0, reply.Length == 0);
    }

    [Theory]
    [InlineData("zsh", "compdef _sagas sagas")]
    [InlineData("fish", "complete --command sagas")]
    public async Task The_other_shells_have_scripts_that_ask_the_same_way(string shell, string registration)
    {
        var run = await CommandLineRun.OfAsync("completion", shell);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("[suggest:", run.Output, StringComparison.Ordinal);
        Assert.Contains(registration, run.Output, StringComparison.Ordinal);
    }

    private async Task<string> WriteAsync(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(path, content);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private async Task<string> BashAsync(string script)
    {
        var start = new ProcessStartInfo("bash", ["--norc", "-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{_folder}:{start.Environment["PATH"]}";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return output.Trim();
    }
}
