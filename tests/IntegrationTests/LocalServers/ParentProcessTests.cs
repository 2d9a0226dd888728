using System.Diagnostics;
using Npgsql;
using static Sagas.IntegrationTests.LocalServers.Ports;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests.LocalServers;

[Collection(OwnServers.Name)]
public sealed class ParentProcessTests
{
    [PrivateServersFact]
    public async Task Servers_and_their_directories_are_removed_when_their_parent_process_is_killed()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Sagas.TestServers.dll");
        using var parent = Process.Start(
            new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true, RedirectStandardInput = true }
        )!;
        var postgres = await ReadAsync("SAGAS_TEST_POSTGRES");
        var rabbitMq = new Uri(await ReadAsync("SAGAS_TEST_RABBITMQ"));
        var postgresPort = new NpgsqlConnectionStringBuilder(postgres).Port;
        var directory = Path.GetDirectoryName(await QueryAsync<string>(postgres, "SHOW data_directory"))!;
        Assert.True(Listens(postgresPort));
        Assert.True(Listens(rabbitMq.Port));
        Assert.True(Directory.Exists(directory));

        parent.Kill();
        await parent.WaitForExitAsync(Eventually.Cancellation());

        await Eventually.TrueAsync(
            "ports and directory are gone",
            () => !Listens(postgresPort) && !Listens(rabbitMq.Port) && !Directory.Exists(directory)
        );

        async Task<string> ReadAsync(string name)
        {
            // Two servers start, one after the other.
            using var patience = new CancellationTokenSource(2 * Eventually.Timeout);
            var line = await parent.StandardOutput.ReadLineAsync(patience.Token);
            Assert.StartsWith($"{name}='", line);
            return line![(name.Length + 2)..^1];
        }
    }
}
