using System.Diagnostics;
using Npgsql;
using static Sagas.IntegrationTests.LocalServers.Ports;
using static Sagas.TestSupport.Servers.Broker;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.LocalServers;

[Collection(OwnServers.Name)]
public sealed class ParentProcessTests
{
    [PrivateServersFact]
    public async Task Servers_and_their_directories_go_when_the_process_that_started_them_is_killed()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ParentProcessTests).Assembly.Location]) { RedirectStandardOutput = true };
        using var parent = Process.Start(start)!;
        var postgres = (await parent.StandardOutput.ReadLineAsync(Eventually.Cancellation()))!;
        var rabbitMq = new Uri((await parent.StandardOutput.ReadLineAsync(Eventually.Cancellation()))!);
        var postgresPort = new NpgsqlConnectionStringBuilder(postgres).Port;
        var directory = Path.GetDirectoryName(await QueryAsync<string>(postgres, "SHOW data_directory"))!;
        Assert.True(Listens(postgresPort));
        Assert.True(Listens(rabbitMq.Port));
        Assert.True(Directory.Exists(directory));

        parent.Kill();
        await parent.WaitForExitAsync(Eventually.Cancellation());

        await UntilAsync(() => !Listens(postgresPort) && !Listens(rabbitMq.Port) && !Directory.Exists(directory));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var patience = Eventually.Cancellation();
        while (!condition())
            await Task.Delay(50, patience);
    }
}
