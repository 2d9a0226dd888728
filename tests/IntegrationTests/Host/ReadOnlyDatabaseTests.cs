using System.Net;
using Npgsql;
using Sagas.IntegrationTests.CommandLine;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.Host;

/// <summary>Postgres answers and takes no writes, as a standby does during a failover.</summary>
public sealed class ReadOnlyDatabaseTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    // New sessions of the command line, of which it opens one for each look.
    private const int Looks = 5;

    private static readonly Uri _ready = new("/health/ready", UriKind.Relative);

    [Fact]
    public async Task A_process_is_not_ready_while_its_database_is_read_only()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "operations"));
        await system.StartAsync();
        var database = system.Settings["ConnectionStrings:Postgres"]!;
        await Eventually.EqualAsync(HttpStatusCode.OK, async () => (await ReadyAsync(system)).Status);

        await SetReadOnlyAsync(database, "on");
        await Eventually.EqualAsync(HttpStatusCode.ServiceUnavailable, async () => (await ReadyAsync(system)).Status);
        Assert.Contains("Postgres is read-only", (await ReadyAsync(system)).Body);

        await SetReadOnlyAsync(database, "off");
        await Eventually.EqualAsync(HttpStatusCode.OK, async () => (await ReadyAsync(system)).Status);
    }

    [Fact]
    public async Task Ingest_waits_until_the_database_takes_writes_again()
    {
        await using var database = await servers.CreateDatabaseAsync("readonly");
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "customer_id,first_name\nafter-failover,Ada\n");
        await SetReadOnlyAsync(database.ConnectionString, "on");
        await using var ingest = RunningCommand.Start(database.ConnectionString, "files", "ingest", file);
        await ingest.SaysAsync("waiting to reconnect");
        var sessions = new HashSet<int>();
        await Eventually.TrueAsync(
            $"the command line looked {Looks} times",
            async () =>
            {
                sessions.Add(
                    await QueryAsync<int>(
                        database.ConnectionString,
                        "SELECT coalesce(max(pid), 0) FROM pg_stat_activity "
                            + "WHERE datname = current_database() AND application_name = 'sagas command line'"
                    )
                );
                return sessions.Count > Looks;
            }
        );
        Assert.DoesNotContain("Postgres is available again", ingest.Error);

        await SetReadOnlyAsync(database.ConnectionString, "off");
        var done = await ingest.EndsAsync();
        File.Delete(file);
        Assert.True(done.ExitCode == 0, done.Error);
        Assert.Contains("1 new", done.Output);
    }

    private static async Task<(HttpStatusCode Status, string Body)> ReadyAsync(TestSystem system)
    {
        using var response = await system.Http.GetAsync(_ready);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task SetReadOnlyAsync(string database, string value)
    {
        var settings = new NpgsqlConnectionStringBuilder(database)
        {
            Options = "-c default_transaction_read_only=off",
            Pooling = false,
        };
        await QueryAsync<object>(
            settings.ConnectionString,
            $"ALTER DATABASE \"{settings.Database}\" SET default_transaction_read_only = {value}"
        );
        // Sessions that exist keep the value that they began with.
        await QueryAsync<object>(
            settings.ConnectionString,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                + "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        );
    }
}
