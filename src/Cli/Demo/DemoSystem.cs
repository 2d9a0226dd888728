using System.Security.Cryptography;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sagas.Cli.CommandLine;
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

    // As in .env and the documentation.
    private const string KeyVariable = "SAGAS_API_KEY";
    private const int KeyBytes = 16;

    private static readonly TimeSpan _stopTimeout = TimeSpan.FromSeconds(10);

    private readonly Stack<IAsyncDisposable> _started = new();

    private readonly string _operatorKey = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));
    private string _postgres = "";
    private Uri? _rabbitMq;
    private WebApplication? _services;
    private SagasDatabase? _database;

    private DemoSystem() { }

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
    public static async Task<DemoSystem> StartAsync(
        ConsoleReporter reporter,
        bool inMemory,
        CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string?>? more = null
    )
    {
        var system = new DemoSystem();
        try
        {
            await system.StartServersAsync(reporter, inMemory || !PrivateRabbitMq.IsInstalled, cancellationToken);
            await system.StartProgramsAsync(reporter, more ?? new Dictionary<string, string?>(), cancellationToken);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>Environment variables by which commands in another terminal use it.</summary>
    public IEnumerable<(string Name, string Value)> Variables()
    {
        yield return (Connections.PostgresVariable, _postgres);
        if (_rabbitMq is not null)
            yield return (Connections.RabbitMqVariable, _rabbitMq.ToString());
        yield return (Connections.CallbackVariable, $"{_services!.Urls.Last()}/callback");
        yield return (KeyVariable, _operatorKey);
    }

    /// <summary>How to look at it from another terminal that has the variables.</summary>
    public IEnumerable<(string What, string Command)> Commands()
    {
        var postgres = new NpgsqlConnectionStringBuilder(_postgres);
        var login = $"{postgres.Username}:{postgres.Password}@{postgres.Host}:{postgres.Port}";
        var http = _services!.Urls.First();
        yield return ("the database", $"psql \"postgresql://{login}/{postgres.Database}\"");
        yield return ("the payments", "./sagas payments list --watch");
        yield return ("the payment above", $"./sagas payments show {Scenario.PaymentId}");
        yield return ("the customers that the CRM has", "./sagas customers list --summary");
        if (_rabbitMq is not null)
        {
            yield return ("a payment of an unknown customer", "./sagas p 4711 --payment-id invoice-9");
            yield return ("the customer", "./sagas c 4711 --name \"Grace Hopper\"");
        }

        yield return ("objects to fetch the status of", "./sagas objects post 1 2 3 4");
        yield return ("the objects that are online", "./sagas objects list --watch");
        yield return ("the dashboard; sign in with the key", $"echo ${KeyVariable} {http}");
        yield return ("the same as JSON", $"curl -H \"X-Api-Key: ${KeyVariable}\" {http}/api/v1/overview");
        yield return (
            "an upload (or /files/alerts)",
            $"curl -H \"X-Api-Key: ${KeyVariable}\" --data-binary @customers.csv {http}/files/customers"
        );
    }

    public async ValueTask DisposeAsync()
    {
        // In reverse order: each part stops before the servers that it uses.
        while (_started.TryPop(out var part))
            await part.DisposeAsync();
    }

    private async Task StartServersAsync(ConsoleReporter reporter, bool inMemory, CancellationToken cancellationToken)
    {
        reporter.Say("Starting a private PostgreSQL on a free port …");
        var postgres = await PrivatePostgres.StartAsync(cancellationToken: cancellationToken);
        _started.Push(postgres);
        _postgres = await postgres.CreateDatabaseAsync("sagas", cancellationToken);
        if (inMemory)
        {
            reporter.Say("Without RabbitMQ: messages go through memory.");
            return;
        }

        reporter.Say("Starting a private RabbitMQ on a free port …");
        var rabbitMq = await PrivateRabbitMq.StartAsync(cancellationToken);
        _started.Push(rabbitMq);
        _rabbitMq = rabbitMq.Uri;
    }

    private async Task StartProgramsAsync(
        ConsoleReporter reporter,
        IReadOnlyDictionary<string, string?> more,
        CancellationToken cancellationToken
    )
    {
        reporter.Say("Starting the simulated third parties …");
        var simulatorSettings = DemoSettings.OfSimulators(FreeLoopbackPort);
        foreach (var (key, value) in more.Where(setting => setting.Key.StartsWith(OfSimulators, StringComparison.Ordinal)))
            simulatorSettings[key[OfSimulators.Length..]] = value;
        var simulators = await StartAsync(SimulatorHost.Create([], simulatorSettings), cancellationToken);
        Simulators = new Uri(simulators.Urls.First());
        reporter.Say("Starting the services, which create their tables and queues …");
        var settings = DemoSettings.OfServices(FreeLoopbackPort, _postgres, _rabbitMq, Simulators, _operatorKey, reporter.Json);
        foreach (var (key, value) in more.Where(setting => !setting.Key.StartsWith(OfSimulators, StringComparison.Ordinal)))
            settings[key] = value;
        _services = await StartAsync(SagasHost.Create([], settings), cancellationToken);
        _database = await SagasDatabase.OpenAsync(_postgres, cancellationToken);
        _started.Push(_database);
        reporter.Say("Everything runs.");
    }

    private async Task<WebApplication> StartAsync(WebApplication program, CancellationToken cancellationToken)
    {
        _started.Push(new Running(program));
        await program.StartAsync(cancellationToken);
        return program;
    }

    private sealed class Running(WebApplication program) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                using var timeout = new CancellationTokenSource(_stopTimeout);
                await program.StopAsync(timeout.Token);
            }
            finally
            {
                await program.DisposeAsync();
            }
        }
    }
}
