using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sagas.Cli.Database;
using Sagas.Host;
using Sagas.LocalServers;
using Sagas.Simulators;

namespace Sagas.Cli.Demo;

/// <summary>Servers, simulators and services, in this process and its children, for as long as the demo lasts.</summary>
internal sealed class DemoSystem : IAsyncDisposable
{
    private const string FreeLoopbackPort = "http://127.0.0.1:0";
    private const string OfSimulators = "Simulators:";

    private static readonly TimeSpan _stopsWithin = TimeSpan.FromSeconds(10);

    private readonly Stack<IAsyncDisposable> _started = new();

    private string _postgres = "";
    private Uri? _rabbitMq;
    private WebApplication? _services;
    private SagasDatabase? _database;

    private DemoSystem()
    {
    }

    /// <summary>The services' bus.</summary>
    public IBus Bus => _services!.Services.GetRequiredService<IBus>();

    /// <summary>The services' database.</summary>
    public SagasDatabase Database => _database!;

    /// <summary>Npgsql's connection string of the database.</summary>
    public string Postgres => _postgres;

    /// <summary>Where the simulated third parties are.</summary>
    public Uri Simulators { get; private set; } = null!;

    /// <summary>The services.</summary>
    public IServiceProvider Services => _services!.Services;

    /// <summary>The broker; null: messages go through memory.</summary>
    public Uri? RabbitMq => _rabbitMq;

    /// <summary>Starts everything; what was started is stopped again when a part of it fails.</summary>
    /// <param name="narrator">Told of each part.</param>
    /// <param name="inMemory">Without RabbitMQ even where it is installed.</param>
    /// <param name="stop">Gives up.</param>
    /// <param name="more">Settings besides the demo's own; those of the simulators begin with <c>Simulators:</c>.</param>
    public static async Task<DemoSystem> StartAsync(
        Narrator narrator, bool inMemory, CancellationToken stop, IReadOnlyDictionary<string, string?>? more = null)
    {
        var system = new DemoSystem();
        try
        {
            await system.StartServersAsync(narrator, inMemory || !PrivateRabbitMq.IsInstalled, stop);
            await system.StartProgramsAsync(narrator, more ?? new Dictionary<string, string?>(), stop);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>How to look at it from another terminal.</summary>
    public IEnumerable<(string What, string Command)> Commands()
    {
        var postgres = new NpgsqlConnectionStringBuilder(_postgres);
        var options = $"--postgres \"{_postgres}\"";
        var login = $"{postgres.Username}:{postgres.Password}@{postgres.Host}:{postgres.Port}";
        yield return ("the database", $"psql \"postgresql://{login}/{postgres.Database}\"");
        yield return ("payments as they get on", $"./sagas list payments --watch {options}");
        yield return ("all about the payment above", $"./sagas show payment {Scenario.PaymentId} {options}");
        yield return ("how the CRM gets on", $"./sagas crm status {options}");
        if (_rabbitMq is null)
            yield break;

        yield return ("a payment of a customer who is not known", $"./sagas p 4711 --payment-id invoice-9 --rabbitmq {_rabbitMq}");
        yield return ("the customer", $"./sagas c 4711 --name \"Grace Hopper\" --rabbitmq {_rabbitMq}");
        yield return ("objects to look after", $"./sagas publish objects 1 2 3 4 --callback {_services!.Urls.Last()}/callback");
        yield return ("objects seen lately", $"./sagas objects --watch {options}");
    }

    public async ValueTask DisposeAsync()
    {
        // In the reverse of the order of starting: nobody loses a server that they still need.
        while (_started.TryPop(out var part))
            await part.DisposeAsync();
    }

    private async Task StartServersAsync(Narrator narrator, bool inMemory, CancellationToken stop)
    {
        narrator.Say("Starting PostgreSQL, of its own, on a free port …");
        var postgres = await PrivatePostgres.StartAsync(stop);
        _started.Push(postgres);
        _postgres = await postgres.CreateDatabaseAsync("sagas", stop);
        if (inMemory)
        {
            narrator.Say("RabbitMQ is left out: messages go through memory.");
            return;
        }

        narrator.Say("Starting RabbitMQ, of its own, on a free port …");
        var rabbitMq = await PrivateRabbitMq.StartAsync(stop);
        _started.Push(rabbitMq);
        _rabbitMq = rabbitMq.Uri;
    }

    private async Task StartProgramsAsync(Narrator narrator, IReadOnlyDictionary<string, string?> more, CancellationToken stop)
    {
        narrator.Say("Starting the simulators of the payment gateway and the CRM …");
        var simulatorSettings = DemoSettings.OfSimulators(FreeLoopbackPort);
        foreach (var (key, value) in more.Where(setting => setting.Key.StartsWith(OfSimulators, StringComparison.Ordinal)))
            simulatorSettings[key[OfSimulators.Length..]] = value;
        var simulators = await StartAsync(SimulatorHost.Create([], simulatorSettings), stop);
        Simulators = new Uri(simulators.Urls.First());
        narrator.Say("Starting the services, which make their tables and queues …");
        var settings = DemoSettings.OfServices(FreeLoopbackPort, _postgres, _rabbitMq, Simulators, narrator.Json);
        foreach (var (key, value) in more.Where(setting => !setting.Key.StartsWith(OfSimulators, StringComparison.Ordinal)))
            settings[key] = value;
        _services = await StartAsync(SagasHost.Create([], settings), stop);
        _database = await SagasDatabase.OpenAsync(_postgres, stop);
        _started.Push(_database);
        narrator.Say("Everything runs.");
    }

    private async Task<WebApplication> StartAsync(WebApplication program, CancellationToken stop)
    {
        _started.Push(new Running(program));
        await program.StartAsync(stop);
        return program;
    }

    private sealed class Running(WebApplication program) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                using var timeout = new CancellationTokenSource(_stopsWithin);
                await program.StopAsync(timeout.Token);
            }
            finally
            {
                await program.DisposeAsync();
            }
        }
    }
}
