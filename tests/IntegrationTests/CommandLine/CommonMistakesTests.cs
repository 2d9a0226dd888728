using Npgsql;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>Mistakes on working servers, and what the command line says about them.</summary>
public sealed class CommonMistakesTests(ServersFixture servers) : CommandLineTest(servers), IClassFixture<ServersFixture>
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-mistakes-").FullName;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_wrong_password_of_the_database_is_reported_without_advice_to_start_a_server()
    {
        var wrong = new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Password = "wrong" }.ConnectionString;

        AssertIsLoginError(await Runner.RunAsync("payments", "list", "--postgres", wrong), "POSTGRES_PASSWORD");
    }

    [Fact]
    public async Task A_wrong_password_of_the_broker_is_reported_without_advice_to_start_a_server()
    {
        var wrong = new UriBuilder(VirtualHost.Uri) { Password = "wrong" }.Uri.ToString();

        AssertIsLoginError(await Runner.RunAsync("deadletters", "list", "--rabbitmq", wrong), "RABBITMQ_PASSWORD");
    }

    [Theory]
    [InlineData("userId,alertMessage\n125,Order has been placed\n", true)]
    [InlineData("name,city\nAda,London\n", false)]
    public async Task A_file_of_alerts_that_is_taken_for_customers_is_recognised_by_its_header(string content, bool isHinted)
    {
        var path = Path.Combine(_folder, "alerts.csv");
        await File.WriteAllTextAsync(path, content);

        var run = await Runner.RunAsync("files", "ingest", path);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("invalid", run.Output);
        Assert.Equal(isHinted, run.Output.Contains("--kind alerts", StringComparison.Ordinal));
    }

    private static void AssertIsLoginError(CommandLineRun run, string password)
    {
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("password", run.Error);
        Assert.Contains(password, run.Error);
        Assert.DoesNotContain("docker-compose", run.Error);
        Assert.DoesNotContain("demo", run.Error);
    }
}
