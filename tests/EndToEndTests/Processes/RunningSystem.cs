using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;

namespace Sagas.EndToEndTests.Processes;

/// <summary>The product as processes: a gateway simulator and services, on a database and a virtual host of its own.</summary>
internal sealed class RunningSystem : IAsyncDisposable
{
    private const string Started = "Application started.";

    private readonly Dictionary<string, string> _settings;
    private readonly Dictionary<int, ProgramProcess> _services = [];
    private SimulatorsProcess? _simulators;

    /// <summary>Describes the system; nothing runs yet.</summary>
    /// <param name="postgres">Connection string of its database.</param>
    /// <param name="rabbitMq">Address of its virtual host.</param>
    /// <param name="settings">More configuration of the services.</param>
    public RunningSystem(string postgres, Uri rabbitMq, params (string Key, string Value)[] settings)
    {
        RabbitMq = rabbitMq;
        _settings = new Dictionary<string, string>
        {
            ["ConnectionStrings:Postgres"] = postgres,
            ["RabbitMq:Uri"] = rabbitMq.ToString(),
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Serilog:MinimumLevel:Override:MassTransit"] = "Warning",
            // Off by default, since its calls would change the tests' counts.
            ["Crm:Enabled"] = "false",
        };
        foreach (var (key, value) in settings)
            _settings[key] = value;

        Database = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(postgres)
            {
                MaxPoolSize = 4,
                Timeout = 60,
                CommandTimeout = 60,
            }
        );
    }

    public Uri RabbitMq { get; }

    public NpgsqlDataSource Database { get; }

    /// <summary>The simulators of third parties.</summary>
    public SimulatorsProcess Simulators => _simulators ?? throw new InvalidOperationException("The simulators do not run.");

    public IEnumerable<ProgramProcess> Services => _services.Values;

    /// <summary>The callback's port of each services process, which it has again after a restart; none: any free one.</summary>
    public IReadOnlyList<int> CallbackPorts { get; set; } = [];

    /// <summary>Starts the simulators, which the services call from then on.</summary>
    /// <param name="settings">Their configuration.</param>
    public async Task StartSimulatorsAsync(params (string Key, string Value)[] settings)
    {
        _simulators = await SimulatorsProcess.StartAsync(settings);
        _settings["Payments:GatewayUrl"] = _simulators.Address.ToString();
        _settings["ObjectStatus:StatusApi"] = new Uri(_simulators.Address, "/object-status").ToString();
        _settings["Crm:Url"] = new Uri(_simulators.Address, "/crm").ToString();
        _settings["Alerts:Endpoint"] = new Uri(_simulators.Address, "/webhooks/alerts").ToString();
        // The simulators have no TLS, which must be allowed explicitly.
        _settings["Alerts:AllowedHosts"] = _simulators.Address.Host;
    }

    /// <summary>Starts a services process; <see cref="ProgramProcess.ReadyAsync"/> awaits its readiness.</summary>
    /// <param name="number">From 1; replaces the ended process of that number.</param>
    public async Task<ProgramProcess> StartServicesAsync(int number)
    {
        if (_services.Remove(number, out var before))
            await before.DisposeAsync();
        var name = NameOf(number);
        var postgres = new NpgsqlConnectionStringBuilder(_settings["ConnectionStrings:Postgres"]) { ApplicationName = name };
        postgres.Remove("Maximum Pool Size");
        var settings = new Dictionary<string, string>(_settings) { ["ConnectionStrings:Postgres"] = postgres.ConnectionString };
        if (CallbackPorts.Count > 0)
            settings["ObjectStatus:CallbackPort"] = CallbackPorts[number - 1].ToString(CultureInfo.InvariantCulture);
        return _services[number] = ProgramProcess.Start(name, "Sagas.Host", [], settings, Started);
    }

    /// <summary>Starts services processes and awaits that they are ready.</summary>
    public async Task StartReadyAsync(int processes)
    {
        var started = await Task.WhenAll(Enumerable.Range(1, processes).Select(StartServicesAsync));
        await Task.WhenAll(started.Select(service => service.ReadyAsync()));
    }

    /// <summary>Stops all services with SIGTERM, once they are ready: the signal would kill a starting process.</summary>
    public async Task StopServicesAsync()
    {
        await Task.WhenAll(Services.Select(service => service.ReadyAsync()));
        foreach (var (service, stopping) in Services.Select(service => (service, service.TerminateAsync())).ToArray())
            Assert.True(await stopping == 0, $"{service.Name} ended with {await stopping}.");
    }

    /// <summary>The rows of queries, and the last lines of the services, for the message of a failure.</summary>
    public async Task<string> DescribeAsync(params string[] queries)
    {
        var text = new StringBuilder();
        foreach (var sql in queries)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"-- {sql}");
            try
            {
                text.AppendJoin('\n', await LinesAsync(sql)).AppendLine();
            }
            catch (NpgsqlException e)
            {
                text.AppendLine(e.Message);
            }
        }

        foreach (var service in Services)
            text.AppendLine(CultureInfo.InvariantCulture, $"-- {service}:\n{service.LastLines(25)}");
        return text.ToString();
    }

    /// <summary>Configures the services that are started from now on.</summary>
    public void Configure(string key, string value) => _settings[key] = value;

    /// <summary>The application name of a process in the database.</summary>
    public static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"services-{number}");

    public ProgramProcess Service(int number) => _services[number];

    /// <summary>Runs the command line against the system.</summary>
    /// <returns>What it answered, as JSON.</returns>
    public async Task<JsonElement> RunCommandAsync(params string[] arguments)
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, "Sagas.Cli.dll");
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments, "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        ProgramProcess.DoWithoutProfile(start);
        start.Environment["ConnectionStrings__Postgres"] = _settings["ConnectionStrings:Postgres"] + ";Timeout=60";
        start.Environment["RabbitMq__Uri"] = _settings["RabbitMq:Uri"];
        using var command = Process.Start(start)!;
        var error = command.StandardError.ReadToEndAsync();
        var output = await command.StandardOutput.ReadToEndAsync();
        await command.WaitForExitAsync();
        Assert.True(command.ExitCode == 0, $"sagas {string.Join(' ', arguments)} ended with {command.ExitCode}: {await error}");
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>Sets how long the gateway takes from now on.</summary>
    public Task SetLatencyAsync(int milliseconds) =>
        Simulators.PutAsync("/payments/faults", new { latency = new { minMs = milliseconds, maxMs = milliseconds } });

    /// <summary>What the gateway counted.</summary>
    public Task<JsonElement> SummaryAsync() => Simulators.GetAsync("/payments/summary");

    /// <summary>Every request that the gateway received.</summary>
    public IAsyncEnumerable<JsonElement> RecordsAsync() => Simulators.ListAsync("/payments/records");

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The rows of a query as text, a line each.</summary>
    public async Task<IReadOnlyList<string>> LinesAsync(string sql)
    {
        var lines = new List<string>();
        await using var command = Database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var values = Enumerable
                .Range(0, reader.FieldCount)
                .Select(column => Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture));
            lines.Add(string.Join(" | ", values));
        }

        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.Values)
            await service.DisposeAsync();
        if (_simulators is not null)
            await _simulators.DisposeAsync();
        await Database.DisposeAsync();
    }
}
