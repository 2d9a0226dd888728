using System.CommandLine;
using System.CommandLine.Completions;
using Sagas.Cli.CommandLine;

namespace Sagas.UnitTests.CommandLine;

/// <summary>The options of every command.</summary>
public sealed class OptionTests
{
    public static TheoryData<string, string> WithWords =>
        Options(option => option is not Option<bool> && option.GetCompletions(CompletionContext.Empty).Any());

    public static TheoryData<string, string> WithValue => Options(option => option is not Option<bool>);

    [Theory]
    [MemberData(nameof(WithWords))]
    public async Task A_word_that_an_option_does_not_have_is_rejected(string path, string option)
    {
        var run = await CommandLineRun.OfAsync([.. Line(path), $"{option}=nonsense"]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(option, run.Error);
        Assert.Contains("'nonsense'", run.Error);
        Assert.Empty(run.Output);
    }

    [Theory]
    [MemberData(nameof(WithValue))]
    public async Task An_option_without_its_value_is_rejected(string path, string option)
    {
        var run = await CommandLineRun.OfAsync([.. Line(path), option]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("See: sagas", run.Error);
        Assert.Empty(run.Output);
    }

    private static TheoryData<string, string> Options(Predicate<Option> condition)
    {
        var data = new TheoryData<string, string>();
        foreach (var (path, command) in Leaves(All(), ""))
        {
            foreach (var option in command.Options.Where(option => condition(option)))
                data.Add(path, option.Name);
        }

        return data;
    }

    // With a value for each argument that is required.
    private static IEnumerable<string> Line(string path)
    {
        var command = Leaves(All(), "").Single(leaf => leaf.Path == path).Command;
        var required = command.Arguments.Where(argument => argument.Arity.MinimumNumberOfValues > 0);
        return [.. path.Split(' '), .. required.Select(_ => "x")];
    }

    private static Command All() => Cli.Program.Commands(new Terminal(TextWriter.Null, TextWriter.Null));

    private static IEnumerable<(string Path, Command Command)> Leaves(Command command, string path) =>
        command.Subcommands.Count == 0
            ? [(path, command)]
            : command.Subcommands.SelectMany(verb => Leaves(verb, $"{path} {verb.Name}".Trim()));
}
