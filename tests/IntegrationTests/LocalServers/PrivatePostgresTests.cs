using System.Diagnostics;
using Npgsql;
using Sagas.LocalServers;
using static Sagas.IntegrationTests.LocalServers.Ports;
using static Sagas.TestSupport.Servers.Broker;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.LocalServers;

[Collection(OwnServers.Name)]
public sealed class PrivatePostgresTests
{
    [PrivateServersFact]
    public async Task Is_durable_and_listens_on_loopback_only()
    {
        await using var server = await PrivatePostgres.StartAsync(Eventually.Cancellation());

        Assert.Equal("on", await QueryAsync<string>(server.ConnectionString, "SHOW fsync"));
        Assert.Equal("on", await QueryAsync<string>(server.ConnectionString, "SHOW synchronous_commit"));
        Assert.Equal("127.0.0.1", await QueryAsync<string>(server.ConnectionString, "SHOW listen_addresses"));
        Assert.Equal("UTF8", await QueryAsync<string>(server.ConnectionString, "SHOW server_encoding"));
    }

    [PrivateServersFact]
    public async Task Refuses_whoever_does_not_know_its_password()
    {
        await using var server = await PrivatePostgres.StartAsync(Eventually.Cancellation());
        var guess = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "sagas" }.ConnectionString;

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => QueryAsync<int>(guess, "SELECT 1"));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
    }

    [PrivateServersFact]
    public async Task Keeps_committed_rows_when_it_is_stopped_and_when_it_is_killed()
    {
        await using var server = await PrivatePostgres.StartAsync(Eventually.Cancellation());
        var database = await server.CreateDatabaseAsync("a \"quoted\" name", Eventually.Cancellation());
        await QueryAsync<object>(database, "CREATE TABLE kept (id int)");

        await QueryAsync<object>(database, "INSERT INTO kept VALUES (1)");
        await server.StopAsync(Eventually.Cancellation());
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => QueryAsync<int>(database, "SELECT 1"));
        await server.StartAgainAsync(Eventually.Cancellation());

        await using var busy = new NpgsqlConnection(database);
        await busy.OpenAsync();
        await QueryAsync<object>(database, "INSERT INTO kept VALUES (2)");
        await server.KillAsync(Eventually.Cancellation());
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => QueryAsync<int>(database, "SELECT 1"));
        await server.StartAgainAsync(Eventually.Cancellation());

        Assert.Equal(2, await QueryAsync<long>(database, "SELECT count(*) FROM kept"));
    }

    [PrivateServersFact]
    public async Task Two_at_once_do_not_disturb_each_other()
    {
        var servers = await Task.WhenAll(PrivatePostgres.StartAsync(Eventually.Cancellation()), PrivatePostgres.StartAsync(Eventually.Cancellation()));
        await using var first = servers[0];
        await using var second = servers[1];
        var database = await first.CreateDatabaseAsync("mine", Eventually.Cancellation());

        await second.KillAsync(Eventually.Cancellation());

        Assert.Equal(1, await QueryAsync<int>(database, "SELECT 1"));
        await second.StartAgainAsync(Eventually.Cancellation());
        Assert.Equal(0, await QueryAsync<long>(second.ConnectionString, "SELECT count(*) FROM pg_database WHERE datname = 'mine'"));
    }

    [PrivateServersFact]
    public async Task Runs_on_after_somebody_has_stopped_it_for_a_moment()
    {
        await using var server = await PrivatePostgres.StartAsync(Eventually.Cancellation());
        var data = (await QueryAsync<string>(server.ConnectionString, "SHOW data_directory"))!;
        var process = (await File.ReadAllLinesAsync(Path.Combine(data, "postmaster.pid")))[0];

        await SignalAsync("STOP");
        await Task.Delay(500); // an end that is under way shows
        await SignalAsync("CONT");

        Assert.Equal(1, await QueryAsync<int>(server.ConnectionString, "SELECT 1"));

        async Task SignalAsync(string signal)
        {
            using var kill = Process.Start("kill", ["-s", signal, process]);
            await kill.WaitForExitAsync();
        }
    }

    [PrivateServersFact]
    public async Task Runs_on_for_those_who_kept_its_address_only()
    {
        var address = await Task.Run(async () => (await PrivatePostgres.StartAsync(Eventually.Cancellation())).ConnectionString);

        for (var collection = 0; collection < 3; collection++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        await Task.Delay(500); // an end that is under way shows
        Assert.Equal(1, await QueryAsync<int>(address, "SELECT 1"));
    }

    [PrivateServersFact]
    public async Task Nothing_of_it_stays_when_it_is_disposed_of()
    {
        var server = await PrivatePostgres.StartAsync(Eventually.Cancellation());
        var data = (await QueryAsync<string>(server.ConnectionString, "SHOW data_directory"))!;
        var port = new NpgsqlConnectionStringBuilder(server.ConnectionString).Port;
        Assert.True(Directory.Exists(data));

        await server.DisposeAsync();

        Assert.False(Directory.Exists(Path.GetDirectoryName(data)));
        Assert.False(Listens(port));
    }
}
