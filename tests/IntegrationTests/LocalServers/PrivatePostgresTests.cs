using System.Diagnostics;
using Npgsql;
using Sagas.LocalServers;
using static Sagas.IntegrationTests.LocalServers.Ports;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.LocalServers;

[Collection(nameof(KillableServers))]
public sealed class PrivatePostgresTests(KillableServers servers)
{
    // No condition shows that a process does not end; one that ends does so within this time.
    private static readonly TimeSpan _endShows = TimeSpan.FromMilliseconds(500);

    [PrivateServersFact]
    public async Task Is_durable_and_listens_on_loopback_only()
    {
        var server = servers.Postgres.ConnectionString;

        Assert.Equal("on", await QueryAsync<string>(server, "SHOW fsync"));
        Assert.Equal("on", await QueryAsync<string>(server, "SHOW synchronous_commit"));
        Assert.Equal("127.0.0.1", await QueryAsync<string>(server, "SHOW listen_addresses"));
        Assert.Equal("UTF8", await QueryAsync<string>(server, "SHOW server_encoding"));
    }

    [PrivateServersFact]
    public async Task Rejects_a_wrong_password()
    {
        var guess = new NpgsqlConnectionStringBuilder(servers.Postgres.ConnectionString) { Password = "sagas" }.ConnectionString;

        var error = await Assert.ThrowsAsync<PostgresException>(() => QueryAsync<int>(guess, "SELECT 1"));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, error.SqlState);
    }

    [PrivateServersFact]
    public async Task Keeps_committed_rows_when_it_is_stopped_and_when_it_is_killed()
    {
        var server = servers.Postgres;
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
    public async Task Two_at_once_do_not_affect_each_other_and_a_disposed_one_leaves_nothing()
    {
        await using var other = await PrivatePostgres.StartAsync(cancellationToken: Eventually.Cancellation());
        var database = await other.CreateDatabaseAsync("mine", Eventually.Cancellation());
        var data = (await QueryAsync<string>(database, "SHOW data_directory"))!;
        var port = new NpgsqlConnectionStringBuilder(database).Port;

        await servers.Postgres.KillAsync(Eventually.Cancellation());

        Assert.Equal(1, await QueryAsync<int>(database, "SELECT 1"));
        await servers.Postgres.StartAgainAsync(Eventually.Cancellation());
        Assert.Equal(
            0,
            await QueryAsync<long>(servers.Postgres.ConnectionString, "SELECT count(*) FROM pg_database WHERE datname = 'mine'")
        );

        Assert.True(Directory.Exists(data));
        await other.DisposeAsync();
        Assert.False(Directory.Exists(Path.GetDirectoryName(data)));
        Assert.False(Listens(port));
        Assert.Equal(1, await QueryAsync<int>(servers.Postgres.ConnectionString, "SELECT 1"));
    }

    [PrivateServersFact]
    public async Task Keeps_running_after_it_was_suspended_for_a_moment()
    {
        var server = servers.Postgres.ConnectionString;
        var data = (await QueryAsync<string>(server, "SHOW data_directory"))!;
        var process = (await File.ReadAllLinesAsync(Path.Combine(data, "postmaster.pid")))[0];

        await SignalAsync("STOP");
        await Task.Delay(_endShows);
        await SignalAsync("CONT");

        Assert.Equal(1, await QueryAsync<int>(server, "SELECT 1"));

        async Task SignalAsync(string signal)
        {
            using var kill = Process.Start("kill", ["-s", signal, process]);
            await kill.WaitForExitAsync();
        }
    }

    [PrivateServersFact]
    public async Task Keeps_running_when_only_its_address_is_kept()
    {
        var address = await Task.Run(async () =>
            (await PrivatePostgres.StartAsync(cancellationToken: Eventually.Cancellation())).ConnectionString
        );

        for (var collection = 0; collection < 3; collection++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        await Task.Delay(_endShows);
        Assert.Equal(1, await QueryAsync<int>(address, "SELECT 1"));
    }
}
