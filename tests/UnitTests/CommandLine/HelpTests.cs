using System.CommandLine;
using Sagas.Cli;
using Sagas.Cli.CommandLine;

namespace Sagas.UnitTests.CommandLine;

public sealed class HelpTests
{
    public static TheoryData<string> EveryCommand() =>
        [.. PathsBelow(Cli.Program.Commands(new Terminal(TextWriter.Null, TextWriter.Null)), "")];

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Every_command_has_help_with_exit_codes(string path)
    {
        var run = await CommandLineRun.OfAsync([.. path.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"sagas{(path.Length > 0 ? " " + path : "")}", run.Output);
        Assert.Contains("--json", run.Output);
        Assert.Contains("3 cannot connect", run.Output);
        Assert.Empty(run.Error);
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task The_examples_of_every_command_can_be_parsed(string path)
    {
        var command = Find(path);
        if (command.Subcommands.Count == 0)
            Assert.NotEmpty(command.Examples);

        var help = (await CommandLineRun.OfAsync([.. path.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"])).Output;
        foreach (var example in command.Examples)
        {
            Assert.Contains(example, help);
            var typed = example.Split('#', '|', '>')[0].Trim();
            Assert.StartsWith("sagas ", typed);
            Assert.Empty(
                Cli.Program.Commands(new Terminal(TextWriter.Null, TextWriter.Null)).Parse(typed["sagas ".Length..]).Errors
            );
        }
    }

    [Fact]
    public async Task The_version_is_that_of_the_changelog()
    {
        var run = await CommandLineRun.OfAsync("--version");

        Assert.Equal(0, run.ExitCode);
        var newest = File.ReadLines(Path.Combine(Repository.Root, "CHANGELOG.md"))
            .First(line => line.StartsWith("## [", StringComparison.Ordinal));
        Assert.StartsWith($"sagas {newest[4..newest.IndexOf(']', StringComparison.Ordinal)]}", run.Output);
    }

    private static SagasCommand Find(string path)
    {
        Command command = Cli.Program.Commands(new Terminal(TextWriter.Null, TextWriter.Null));
        foreach (var name in path.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            command = command.Subcommands.Single(subcommand => subcommand.Name == name);
        return Assert.IsType<SagasCommand>(command);
    }

    private static IEnumerable<string> PathsBelow(Command command, string path) =>
        command.Subcommands.SelectMany(subcommand => PathsBelow(subcommand, $"{path} {subcommand.Name}".Trim())).Prepend(path);
}
