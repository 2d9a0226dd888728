using Sagas.EndToEndTests.Alarms;
using Sagas.EndToEndTests.Alerts;
using Sagas.EndToEndTests.Crm;
using Sagas.EndToEndTests.ObjectStatus;
using Sagas.EndToEndTests.Payments;
using Sagas.EndToEndTests.Processes;
using Sagas.TestSupport.Chaos;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.Chaos;

/// <summary>Services and servers are killed at random while the features work; nothing is lost or done twice.</summary>
[Collection(ChaosServers.Name)]
public sealed class SystemChaosTests(KillableServers servers, ITestOutputHelper output)
    : ChaosTest(servers, output),
        IAsyncLifetime
{
    private const int Processes = 2;

    private ChaosScenario[] _scenarios = [];
    private int _kills;
    private int _restarts;
    private TestDatabase? _database;
    private TestVirtualHost? _virtualHost;
    private RunningSystem? _running;

    [PrivateServersFact]
    [Trait("Category", "Chaos")]
    public Task All_features_in_the_same_processes_lose_nothing_and_do_nothing_twice() =>
        RunAsync(
            kills: 2,
            restarts: 1,
            TimeSpan.FromMinutes(6),
            new PaymentScenario(Narration, customers: 300, payments: 600),
            new CrmScenario(Narration, new CustomerLoad(600, 100), registered: 200, kills: 1),
            new AlarmScenario(Narration, users: 200, alarms: 10, changes: 10_000, requests: 200),
            new ObjectStatusScenario(Narration, Processes, objects: 2_000, (MinMs: 50, MaxMs: 500)),
            new AlertScenario(Narration, rows: 800, perSecond: 200)
        );

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task Twenty_thousand_payments_are_made_once_with_twenty_kills() =>
        RunAsync(
            kills: 20,
            restarts: 3,
            TimeSpan.FromMinutes(5),
            new PaymentScenario(Narration, customers: 10_000, payments: 20_000)
        );

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task A_hundred_thousand_customers_reach_the_CRM_once_with_twenty_kills_of_each() =>
        RunAsync(
            kills: 20,
            restarts: 0,
            TimeSpan.FromMinutes(3),
            new CrmScenario(Narration, new CustomerLoad(100_000, 5_000), registered: 5_000, kills: 20)
        );

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task A_million_alarm_changes_are_reported_once_with_ten_kills() =>
        RunAsync(
            kills: 10,
            restarts: 3,
            TimeSpan.FromMinutes(5),
            new AlarmScenario(Narration, users: 5_000, alarms: 20, changes: 1_000_000, requests: 10_000)
        );

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task Twenty_thousand_acknowledged_objects_are_seen_with_twenty_kills() =>
        RunAsync(
            kills: 20,
            restarts: 3,
            Eventually.Timeout,
            new ObjectStatusScenario(Narration, Processes, objects: 20_000, (MinMs: 300, MaxMs: 4300))
        );

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task Fifty_thousand_users_are_alerted_once_with_twenty_kills() =>
        RunAsync(kills: 20, restarts: 0, TimeSpan.FromMinutes(8), new AlertScenario(Narration, rows: 50_000, perSecond: 1_000));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_running is not null)
            await _running.DisposeAsync();
        foreach (var scenario in _scenarios)
            await scenario.DisposeAsync();
        if (_virtualHost is not null)
            await _virtualHost.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
    }

    protected override async Task StartAsync()
    {
        _virtualHost = await Servers.CreateVirtualHostAsync("chaos");
        _database = await Servers.CreateDatabaseAsync("chaos");
        var roles = string.Join(',', _scenarios.SelectMany(scenario => scenario.Roles).Distinct());
        var settings = _scenarios.SelectMany(scenario => scenario.Settings).Append(("Roles", roles));
        _running = new RunningSystem(_database.ConnectionString, _virtualHost.Uri, [.. settings]);
        await _running.StartSimulatorsAsync([.. _scenarios.SelectMany(scenario => scenario.SimulatorSettings)]);
        foreach (var scenario in _scenarios)
            await scenario.PrepareAsync(_running);
        await _running.StartReadyAsync(Processes);
    }

    protected override IEnumerable<Disturbance> Plan() =>
        [
            .. KillServices(),
            .. RestartRabbitMq(_restarts),
            .. RestartPostgres(_restarts),
            .. _scenarios.SelectMany(scenario => scenario.Disturbances(Moments)),
        ];

    protected override Task WorkAsync() => Task.WhenAll(_scenarios.Select(scenario => scenario.WorkAsync()));

    protected override async Task<double> ShareAsync() =>
        (await Task.WhenAll(_scenarios.Select(scenario => scenario.ShareAsync()))).Average();

    protected override async Task<string> UnsettledAsync()
    {
        foreach (var scenario in _scenarios)
        {
            if (await scenario.UnsettledAsync() is { Length: > 0 } unsettled)
                return $"{scenario.GetType().Name}: {unsettled}";
        }

        return "";
    }

    protected override Task StopAsync() => _running!.StopServicesAsync();

    protected override async Task BalanceAsync()
    {
        foreach (var scenario in _scenarios)
            await scenario.BalanceAsync();
    }

    protected override async Task<string> DescribeAsync()
    {
        var sections = _scenarios.SelectMany(scenario => scenario.Sections).ToArray();
        var texts = await Task.WhenAll(_scenarios.Select(scenario => scenario.DescribeAsync()));
        return $"{await _running!.DescribeAsync(sections)}\n{string.Join('\n', texts)}";
    }

    private Task RunAsync(int kills, int restarts, TimeSpan timeout, params ChaosScenario[] scenarios)
    {
        (_kills, _restarts, _scenarios) = (kills, restarts, scenarios);
        return RunAsync(timeout);
    }

    private IEnumerable<Disturbance> KillServices() =>
        Moments(_kills)
            .Select(moment =>
            {
                var number = Narration.Random.Next(1, Processes + 1);
                return new Disturbance(
                    "services",
                    moment,
                    $"SIGKILL {RunningSystem.NameOf(number)} of the",
                    async () =>
                    {
                        await _running!.Service(number).KillAsync();
                        await _running.StartServicesAsync(number);
                    }
                );
            });
}

/// <summary>Servers that tests kill; the tests run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ChaosServers : ICollectionFixture<KillableServers>
{
    public const string Name = "chaos";
}
