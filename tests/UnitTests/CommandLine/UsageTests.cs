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
    [InlineData("<id>", "show", "payment", "")]
    [InlineData("--name", "c", "4711", "--name", "Ada\nLovelace")]
    [InlineData("--registered-at", "c", "4711", "--registered-at", "yesterday")]
    [InlineData("--registered-at", "c", "4711", "--registered-at", "2999-01-01")]
    [InlineData("--rabbitmq", "c", "4711", "--rabbitmq", "http://localhost")]
    [InlineData("--state", "list", "payments", "--state", "Lost")]
    [InlineData("--limit", "list", "customers", "--limit", "0")]
    [InlineData("--watch", "list", "customers", "--watch", "--json")]
    [InlineData("<message-id>", "retry", "deadletter")]
    [InlineData("--all", "retry", "deadletter", "x", "--all")]
    [InlineData("<key>", "retry", "call")]
    [InlineData("<ids>", "publish", "objects", "1", " ")]
    [InlineData("--callback", "publish", "objects", "1", "--callback", "localhost:9090")]
    [InlineData("<customer-id> is missing", "p")]
    [InlineData("<alarm> is missing", "publish", "alarm", "ada")]
    [InlineData("<file> is missing", "ingest")]
    [InlineData("/ is a folder", "ingest", "/")]
    [InlineData("/ is a folder", "alert", "/")]
    [InlineData("--id", "crm", "retry")]
    [InlineData("--all", "crm", "retry", "--all", "--id", "4711")]
    [InlineData("--queue", "list", "deadletters", "--queue", "")]
    public async Task What_cannot_be_meant_is_refused_in_a_sentence_that_names_it(string named, params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(named, run.Error.Split("See:")[0]);
        Assert.DoesNotContain('\u001b', run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task An_id_may_have_128_characters_and_not_one_more()
    {
        Assert.Equal(3, (await CommandLineRun.OfAsync("c", new string('x', 128))).ExitCode);
        Assert.Equal(2, (await CommandLineRun.OfAsync("c", new string('x', 129))).ExitCode);
    }

    [Fact]
    public async Task A_number_that_makes_an_id_too_long_is_refused()
    {
        var run = await CommandLineRun.OfAsync("c", new string('x', 125), "--count", "100");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--count", run.Error);
    }

    [Theory]
    [InlineData("There is no command 'sagas payments'", "payments")]
    [InlineData("There is no command 'sagas list nothing'", "list", "nothing")]
    public async Task An_unknown_command_is_named_and_the_known_ones_are_listed(string sentence, params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(sentence, run.Error);
        Assert.Contains("sagas list", run.Error);
    }

    [Theory]
    [InlineData("list", "payments")]
    [InlineData("list", "customers")]
    [InlineData("list", "outbox")]
    [InlineData("list", "calls")]
    [InlineData("list", "deadletters")]
    [InlineData("show", "payment", "invoice-8")]
    [InlineData("show", "customer", "4711")]
    [InlineData("retry", "deadletter", "--all")]
    [InlineData("retry", "call", "--all")]
    [InlineData("revive", "payment", "invoice-8")]
    [InlineData("crm", "status")]
    [InlineData("crm", "retry", "--all")]
    [InlineData("migrate")]
    [InlineData("publish", "customer", "4711")]
    [InlineData("publish", "payment", "4711")]
    [InlineData("objects")]
    [InlineData("publish", "objects", "1", "--callback", "http://127.0.0.1:1/callback")]
    public async Task A_server_that_cannot_be_reached_is_named_without_its_password_and_with_how_to_start_it(params string[] args)
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
    public async Task An_option_wins_over_the_environment()
    {
        var run = await CommandLineRun.OfAsync("p", "4711", "--rabbitmq", "amqp://other:hidden-secret@127.0.0.1:2/");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("amqp://other@127.0.0.1:2/", run.Error);
        Assert.DoesNotContain("hidden-secret", run.Error);
    }

    [Fact]
    public async Task A_connection_string_that_cannot_be_read_is_a_matter_of_usage()
    {
        var run = await CommandLineRun.OfAsync("list", "payments", "--postgres", "Hots=127.0.0.1");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("connection string", run.Error);
    }
}
