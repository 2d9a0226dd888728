using Npgsql;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>Mistakes on working servers, and what the command line says about them.</summary>
public sealed class CommonMistakesTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-mistakes-").FullName;

    private TestDatabase _database = null!;
    private TestVirtualHost _host = null!;
    private CommandLineRunner _sagas = null!;

    public async Task InitializeAsync()
    {
        _database = await servers.CreateDatabaseAsync("cli");
        _host = await servers.CreateVirtualHostAsync("cli");
        _sagas = new CommandLineRunner(_database.ConnectionString, _host.Uri);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_wrong_password_of_the_database_is_reported_without_advice_to_start_a_server()
    {
        var wrong = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Password = "wrong" }.ConnectionString;

        AssertIsLoginError(await _sagas.RunAsync("payments", "list", "--postgres", wrong), "POSTGRES_PASSWORD");
    }

    [Fact]
    public async Task A_wrong_password_of_the_broker_is_reported_without_advice_to_start_a_server()
    {
        var wrong = new UriBuilder(_host.Uri) { Password = "wrong" }.Uri.ToString();

        AssertIsLoginError(await _sagas.RunAsync("deadletters", "list", "--rabbitmq", wrong), "RABBITMQ_PASSWORD");
    }

    [Theory]
    [InlineData("userId,alertMessage\n125,Order has been placed\n", true)]
    [InlineData("name,city\nAda,London\n", false)]
    public async Task A_file_of_alerts_that_is_taken_for_customers_is_recognised_by_its_header(string content, bool isHinted)
    {
        var path = Path.Combine(_folder, "alerts.csv");
        await File.WriteAllTextAsync(path, content);

        var run = await _sagas.RunAsync("files", "ingest", path);

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
