namespace Sagas.UnitTests.CommandLine;

public sealed class UsageTests
{
    [Theory]
    [InlineData("--amount", "p", "4711", "--amount", "0")]
    [InlineData("--amount", "p", "4711", "--amount", "-1")]
    [InlineData("--amount", "p", "4711", "--amount", "12,50")]
    [InlineData("--amount", "p", "4711", "--amount", "1.23456")]
    [InlineData("--amount", "p", "4711", "--amount", "1000000000001")]
    [InlineData("--currency", "p", "4711", "--currency", "XXX")]
    [InlineData("--currency", "p", "4711", "--currency", "euro")]
    [InlineData("--count", "p", "4711", "--count", "0")]
    [InlineData("--count", "c", "4711", "--count", "1000001")]
    [InlineData("--count", "c", "4711", "--count", "many")]
    [InlineData("--payment-id", "p", "4711", "--payment-id", " ")]
    [InlineData("<customer-id>", "p", " ")]
    [InlineData("<id>", "c", "a\u001bb")]
    [InlineData("<id>", "payments", "show", "")]
    [InlineData("--name", "c", "4711", "--name", "Ada\nLovelace")]
    [InlineData("--registered-at", "c", "4711", "--registered-at", "yesterday")]
    [InlineData("--registered-at", "c", "4711", "--registered-at", "2999-01-01")]
    [InlineData("--rabbitmq", "c", "4711", "--rabbitmq", "http://localhost")]
    [InlineData("--state", "payments", "list", "--state", "Lost")]
    [InlineData("--limit", "customers", "list", "--limit", "0")]
    [InlineData("--watch", "customers", "list", "--watch", "--json")]
    [InlineData("<message-id>", "deadletters", "retry")]
    [InlineData("--all", "deadletters", "retry", "x", "--all")]
    [InlineData("<key>", "calls", "retry")]
    [InlineData("Each <id> must", "objects", "post", "1", " ")]
    [InlineData("<id> is missing", "objects", "post")]
    [InlineData("--callback", "objects", "post", "1", "--callback", "localhost:9090")]
    [InlineData("<customer-id> is missing", "p")]
    [InlineData("<alarm> is missing", "alarms", "publish", "ada")]
    [InlineData("<file> is missing", "files", "ingest")]
    [InlineData("/ is a folder", "files", "ingest", "/")]
    [InlineData("/ is a folder", "files", "ingest", "--kind", "alerts", "/")]
    [InlineData("/ is a folder", "files", "resume", "/")]
    [InlineData("Remove --column", "files", "ingest", "--kind", "alerts", "a.csv", "--column", "id=user")]
    [InlineData("--max-reject-ratio must be", "files", "resume", "a.csv", "--max-reject-ratio", "2")]
    [InlineData("--summary or --state, not both", "customers", "list", "--summary", "--state", "Synced")]
    [InlineData("exactly one of --id, --file or --all", "alerts", "retry", "--all", "--id", "order-7")]
    [InlineData("<shell> must be one of bash, zsh, fish; 'tcsh' is not.", "completion", "tcsh")]
    [InlineData("Specify exactly one of --id, --all or --registered.", "customers", "retry")]
    [InlineData("--all", "customers", "retry", "--all", "--id", "4711")]
    [InlineData("--queue", "deadletters", "list", "--queue", "")]
    [InlineData("<message-id> is missing", "deadletters", "show")]
    public async Task An_invalid_argument_is_rejected_with_a_message_that_names_it(string named, params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(named, run.Error.Split("See:")[0]);
        Assert.DoesNotContain('\u001b', run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task An_id_has_at_most_128_characters()
    {
        Assert.Equal(3, (await CommandLineRun.OfAsync("c", new string('x', 128))).ExitCode);
        Assert.Equal(2, (await CommandLineRun.OfAsync("c", new string('x', 129))).ExitCode);
    }

    [Fact]
    public async Task A_count_that_makes_an_id_too_long_is_rejected()
    {
        var run = await CommandLineRun.OfAsync("c", new string('x', 125), "--count", "100");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--count", run.Error);
    }

    [Theory]
    [InlineData("Unknown command 'sagas payment'", "payment")]
    [InlineData("Unknown command 'sagas payments nothing'", "payments", "nothing")]
    [InlineData("'sagas payments' is incomplete; add one of list, show", "payments")]
    public async Task An_unknown_command_is_named_and_the_known_ones_are_listed(string sentence, params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(sentence, run.Error);
        Assert.Contains("sagas payments", run.Error);
    }

    [Theory]
    [InlineData("Did you mean `sagas alerts list`?", "alert", "list")]
    [InlineData("Did you mean `sagas alerts list`?", "alert", "lst", "--state", "parked")]
    [InlineData("Did you mean `sagas payments show`?", "payments", "shw", "invoice-8")]
    [InlineData("Unknown option '--postgre'. Did you mean `--postgres`?", "payments", "list", "--postgre", "x")]
    [InlineData("Unknown option '--postgre'. Did you mean `--postgres`?", "payments", "list", "--postgre=Password=x")]
    [InlineData("Unknown option '--jsno'. Did you mean `--json`?", "customers", "show", "4711", "--jsno")]
    [InlineData("Unknown option '--jsno'. Did you mean `--json`?", "c", "--jsno")]
    [InlineData("Unknown option '--kinds'. Did you mean `--kind`?", "files", "ingest", "a.csv", "--kinds", "alerts")]
    public async Task A_misspelled_command_or_option_is_answered_with_the_nearest(string sentence, params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(sentence, run.Error);
    }

    [Theory]
    [InlineData("Unknown command 'sagas nothing'.", "nothing")]
    [InlineData("Unknown option '--nothing'.", "payments", "list", "--nothing")]
    [InlineData("Unknown option '--dry-run'.", "customers", "publish", "--dry-run")]
    [InlineData("Unknown option '--dry-run'.", "objects", "post", "1", "--dry-run")]
    [InlineData("Unknown option '--alert'.", "calls", "retry", "--alert")]
    public async Task A_name_that_resembles_none_is_answered_without_a_suggestion(string sentence, params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(sentence, run.Error);
        Assert.DoesNotContain("Did you mean", run.Error);
    }

    [Fact]
    public async Task What_follows_two_dashes_is_an_argument() =>
        Assert.Equal(3, (await CommandLineRun.OfAsync("alerts", "send", "125", "--", "--jsno")).ExitCode);

    [Theory]
    [InlineData("payments", "list")]
    [InlineData("customers", "list")]
    [InlineData("outbox", "list")]
    [InlineData("calls", "list")]
    [InlineData("deadletters", "list")]
    [InlineData("payments", "show", "invoice-8")]
    [InlineData("customers", "show", "4711")]
    [InlineData("deadletters", "retry", "--all")]
    [InlineData("calls", "retry", "--all")]
    [InlineData("payments", "revive", "invoice-8")]
    [InlineData("customers", "list", "--summary")]
    [InlineData("customers", "retry", "--all")]
    [InlineData("migrate")]
    [InlineData("customers", "publish", "4711")]
    [InlineData("payments", "publish", "4711")]
    [InlineData("objects", "list")]
    [InlineData("alerts", "list")]
    [InlineData("files", "list")]
    [InlineData("deadletters", "show", "x")]
    [InlineData("objects", "post", "1", "--callback", "http://127.0.0.1:1/callback")]
    public async Task An_unavailable_server_is_named_without_its_password_and_with_how_to_start_it(params string[] args)
    {
        foreach (var line in new[] { args, [.. args, "--json"] })
        {
            var run = await CommandLineRun.OfAsync(line);

            Assert.Equal(3, run.ExitCode);
            Assert.Contains("127.0.0.1:1", run.Error);
            Assert.Contains("docker-compose up -d", run.Error);
            Assert.Contains("./sagas demo", run.Error);
            Assert.DoesNotContain("hidden-secret", run.Error);
            Assert.Empty(run.Output);
        }
    }

    [Fact]
    public async Task An_option_overrides_the_environment()
    {
        var run = await CommandLineRun.OfAsync("p", "4711", "--rabbitmq", "amqp://other:hidden-secret@127.0.0.1:2/");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("amqp://other@127.0.0.1:2/", run.Error);
        Assert.DoesNotContain("hidden-secret", run.Error);
    }

    [Fact]
    public async Task An_invalid_connection_string_is_a_usage_error()
    {
        var run = await CommandLineRun.OfAsync("payments", "list", "--postgres", "Hots=127.0.0.1");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("connection string such as Host=localhost;", run.Error);
    }
}
