using Sagas.TestSupport.Chaos;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Processes;

/// <summary>A chaos test of the product: services as processes, with a database and a virtual host of the test's own.</summary>
public abstract class SystemChaosTest(KillableServers servers, ITestOutputHelper output)
    : ChaosTest(servers, output),
        IAsyncLifetime
{
    /// <summary>How many services processes there are.</summary>
    protected const int Processes = 2;

    private TestDatabase? _database;
    private TestVirtualHost? _virtualHost;

    /// <summary>The system under test.</summary>
    private protected RunningSystem Running { get; private set; } = null!;

    /// <summary>More configuration of the services.</summary>
    private protected virtual (string Key, string Value)[] Settings => [];

    /// <summary>Tables that tell where everything is, as queries.</summary>
    private protected abstract string[] Sections { get; }

    /// <summary>Starts what must run before the services do.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (Running is not null)
            await Running.DisposeAsync();
        if (_virtualHost is not null)
            await _virtualHost.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
    }

    protected override async Task StartAsync()
    {
        _virtualHost = await Servers.CreateVirtualHostAsync("chaos");
        _database = await Servers.CreateDatabaseAsync("chaos");
        Running = new RunningSystem(_database.ConnectionString, _virtualHost.Uri, Settings);
        await PrepareAsync();
        await Running.StartReadyAsync(Processes);
    }

    protected override Task StopAsync() => Running.StopServicesAsync();

    protected override Task<string> DescribeAsync() => Running.DescribeAsync(Sections);

    /// <summary>Kills services processes with SIGKILL and starts them again at once.</summary>
    protected IEnumerable<Disturbance> KillServices(int times) =>
        Moments(times)
            .Select(moment =>
            {
                var number = Narration.Random.Next(1, Processes + 1);
                return new Disturbance(
                    "services",
                    moment,
                    $"SIGKILL {RunningSystem.NameOf(number)} of the",
                    async () =>
                    {
                        await Running.Service(number).KillAsync();
                        await Running.StartServicesAsync(number);
                    }
                );
            });
}
