using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Json;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Tables;
using Sagas.Services.Alerts;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>Every command that lists something, on a database with tables and a broker.</summary>
public sealed class ListingCommandsTests(ServersFixture servers) : CommandLineTest(servers), IClassFixture<ServersFixture>
{
    public static TheoryData<string> Listings => [.. Paths()];

    [Theory]
    [MemberData(nameof(Listings))]
    public async Task A_listing_works_with_each_of_its_options(string path)
    {
        foreach (var line in Lines(path))
        {
            var table = await Runner.RunAsync(line);
            var json = await Runner.RunAsync([.. line, CommandOptions.JsonName]);

            Assert.True(table.ExitCode == 0, $"{string.Join(' ', line)}: {table.Error}");
            Assert.True(json.ExitCode == 0, $"{string.Join(' ', line)} --json: {json.Error}");
            Assert.Equal(JsonValueKind.Array, JsonDocument.Parse(json.Output).RootElement.ValueKind);
            Assert.Empty(table.Error + json.Error);
        }
    }

    [Fact]
    public void The_listings_are_found() =>
        Assert.Superset(
            new HashSet<string> { "alerts list", "deadletters list", "digests list", "files list", "outbox list" },
            Paths().ToHashSet()
        );

    [Theory]
    [InlineData("disabled_at, disabled_reason", "The endpoint is disabled (the answer). `sagas alerts retry --all` enables it.")]
    [InlineData("paused_until, paused_reason", "The endpoint asked for a pause until")]
    public async Task A_list_of_alerts_says_why_the_endpoint_receives_none(string columns, string sentence)
    {
        await Postgres.QueryAsync<string>(
            Database.ConnectionString,
            $"INSERT INTO rate_limit (target, {columns}) "
                + $"VALUES ('{AlertReceiver.TargetName}', now() + interval '1 hour', 'the answer')"
        );

        var run = await Runner.RunAsync("alerts", "list");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains(sentence, run.Error);
        Assert.Contains("(the answer)", run.Error);
    }

    // As it is, with each flag, and with each word of the options that have words.
    private static IEnumerable<string[]> Lines(string path)
    {
        var command = Leaves(All(), "").Single(leaf => leaf.Path == path).Command;
        string[] plain = [.. path.Split(' '), .. command.Arguments.Select(_ => "ada")];
        yield return plain;
        foreach (var option in command.Options.Where(option => option.Name != ListOptions.WatchName))
        {
            if (option is Option<bool>)
                yield return [.. plain, option.Name];
            foreach (var word in option is Option<string?> ? option.GetCompletions(CompletionContext.Empty) : [])
                yield return [.. plain, option.Name, word.Label];
        }
    }

    private static Command All() => Cli.Program.Commands(new Terminal(TextWriter.Null, TextWriter.Null));

    private static IEnumerable<string> Paths() =>
        Leaves(All(), "")
            .Where(leaf => leaf.Command.Options.Any(option => option.Name == ListOptions.LimitName))
            .Select(leaf => leaf.Path);

    private static IEnumerable<(string Path, Command Command)> Leaves(Command command, string path) =>
        command.Subcommands.Count == 0
            ? [(path, command)]
            : command.Subcommands.SelectMany(verb => Leaves(verb, $"{path} {verb.Name}".Trim()));
}
