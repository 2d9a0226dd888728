using System.Net.Http.Json;
using System.Text.Json;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sagas.Host;
using Sagas.Simulators;

namespace Sagas.IntegrationTests.Crm;

/// <summary>Services and a simulated CRM on servers shared with other tests.</summary>
internal sealed class CrmSystem : IAsyncDisposable
{
    private const string Simulators = "Simulators:";

    private readonly TestDatabase _database;
    private readonly TestVirtualHost _host;
    private readonly NpgsqlDataSource _source;
    private readonly Dictionary<string, string?> _settings;
    private readonly WebApplication _simulators;
    private WebApplication? _services;

    private CrmSystem(
        TestDatabase database,
        TestVirtualHost host,
        WebApplication simulators,
        Dictionary<string, string?> settings
    )
    {
        (_database, _host, _simulators, _settings) = (database, host, simulators, settings);
        _source = NpgsqlDataSource.Create(database.ConnectionString);
        Crm = new HttpClient { BaseAddress = new Uri(simulators.Urls.First() + "/crm/") };
    }

    /// <summary>The CRM.</summary>
    public HttpClient Crm { get; }

    /// <summary>Runs before the CRM handles a call.</summary>
    public Func<HttpContext, Task> Before { get; set; } = _ => Task.CompletedTask;

    public string Postgres => _database.ConnectionString;

    public Uri RabbitMq => _host.Uri;

    public IServiceProvider Services => _services!.Services;

    public Uri ServicesUrl => new(_services!.Urls.First());

    /// <summary>Starts everything. Keys that begin with <c>Simulators:</c> are the CRM's.</summary>
    public static async Task<CrmSystem> StartAsync(ServersFixture servers, params (string Key, string? Value)[] settings)
    {
        var ofCrm = settings.ToLookup(setting => setting.Key.StartsWith(Simulators, StringComparison.Ordinal));
        var database = await servers.CreateDatabaseAsync("crm");
        var host = await servers.CreateVirtualHostAsync("crm");
        CrmSystem? system = null;
        var simulators = CreateSimulators(ofCrm[true]);
        simulators.Use(
            async (context, next) =>
            {
                if (
                    system is not null
                    && context.Request.Method == HttpMethods.Post
                    && context.Request.Path.StartsWithSegments("/crm/customers", StringComparison.Ordinal)
                )
                    await system.Before(context);
                await next();
            }
        );
        await simulators.StartAsync();
        var all = new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["ConnectionStrings:Postgres"] = database.ConnectionString,
            ["RabbitMq:Uri"] = host.Uri.ToString(),
            ["Roles"] = "sagas,crm",
            ["Crm:Url"] = simulators.Urls.First() + "/crm",
            // So long that no call times out and no lease ends on a slow machine.
            ["Crm:Calls:CallTimeout"] = "01:00:00",
            ["Crm:Calls:LeaseMargin"] = "01:00:00",
            // Short, so that a test ends soon. The CRM is done with a request before it answers or aborts it.
            ["Crm:Retry:Delay"] = "00:00:00.020",
            ["Crm:Retry:MaxDelay"] = "00:00:00.100",
            ["Crm:LookupDelay"] = "00:00:00.020",
            ["Crm:Calls:BreakerFailureRatio"] = "1",
            ["Crm:Calls:BreakerDelay"] = "00:00:00.5",
            ["Crm:Calls:MaxBreakerDelay"] = "00:00:00.5",
            ["Serilog:MinimumLevel:Default"] = "Fatal",
        };
        foreach (var (key, value) in ofCrm[false])
            all[key] = value;
        system = new CrmSystem(database, host, simulators, all);
        await system.StartServicesAsync();
        return system;
    }

    public async Task StartServicesAsync()
    {
        _services = SagasHost.Create([], _settings);
        await _services.StartAsync();
    }

    public async Task StopServicesAsync()
    {
        if (_services is null)
            return;
        await _services.StopAsync();
        await _services.DisposeAsync();
        _services = null;
    }

    public Task PublishAsync<T>(T message)
        where T : class => _services!.Services.GetRequiredService<IBus>().Publish(message);

    public Task PublishAllAsync<T>(IEnumerable<T> messages)
        where T : class => Parallel.ForEachAsync(messages, async (message, _) => await PublishAsync(message));

    /// <summary>Sets the CRM's faults from now on.</summary>
    public async Task SetFaultsAsync(object faults)
    {
        using var response = await Crm.PutAsJsonAsync("faults", faults);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>What the CRM stored, oldest first.</summary>
    public async Task<IReadOnlyList<(string CustomerId, int Version)>> EffectsAsync()
    {
        var records = await Crm.GetFromJsonAsync<JsonElement[]>("records");
        return
        [
            .. records!
                .Where(record => record.GetProperty("effect").GetBoolean())
                .Select(record => (record.GetProperty("customerId").GetString()!, record.GetProperty("version").GetInt32())),
        ];
    }

    public Task<JsonElement> SummaryAsync() => Crm.GetFromJsonAsync<JsonElement>("summary");

    public async Task<long> CountAsync(string name) => (await SummaryAsync()).GetProperty(name).GetInt64();

    /// <summary>Compares what the CRM has with what the customers are, row by row.</summary>
    public async Task BalancesAsync()
    {
        var stored = (await Crm.GetFromJsonAsync<JsonElement[]>("stored"))!.ToDictionary(customer =>
            customer.GetProperty("customerId").GetString()!
        );
        await using var command = _source.CreateCommand("SELECT customer_id, version, last_name FROM customer_state");
        await using var reader = await command.ExecuteReaderAsync();
        var known = 0;
        while (await reader.ReadAsync())
        {
            known++;
            Assert.True(
                stored.TryGetValue(reader.GetString(0), out var customer),
                $"{reader.GetString(0)} is missing at the CRM."
            );
            Assert.Equal(reader.GetInt32(1), customer.GetProperty("version").GetInt32());
            Assert.Equal(reader.GetString(2), customer.GetProperty("lastName").GetString());
        }

        Assert.Equal(known, stored.Count);
        var summary = await SummaryAsync();
        Assert.Equal(
            (0, 0),
            (summary.GetProperty("duplicateEffects").GetInt64(), summary.GetProperty("staleEffects").GetInt64())
        );
    }

    public async Task<T?> QueryAsync<T>(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Awaits that a condition on the database holds; a failure lists customers and calls by state.</summary>
    public Task UntilAsync(string condition) =>
        Eventually.MatchesAsync(
            condition,
            () =>
                QueryAsync<string>(
                    $"""
                    SELECT CASE WHEN {condition} THEN '' ELSE concat(
                        'customers: ',
                        (SELECT string_agg(state || ' ' || n, ', ')
                         FROM (SELECT current_state AS state, count(*) AS n FROM customer_state GROUP BY 1) s),
                        '; calls: ',
                        (SELECT string_agg(concat_ws(' ', state, n, last), ', ')
                         FROM (SELECT state, count(*) AS n, max(last_outcome) AS last FROM outbound_call GROUP BY 1) s)) END
                    """
                ),
            otherwise => otherwise is ""
        );

    public Task UntilAllAreAsync(string state, int customers) =>
        UntilAsync($"(SELECT count(*) FROM customer_state WHERE current_state = '{state}') = {customers}");

    public async ValueTask DisposeAsync()
    {
        Crm.Dispose();
        await StopServicesAsync();
        await _simulators.DisposeAsync();
        await _source.DisposeAsync();
        await _host.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static WebApplication CreateSimulators(IEnumerable<(string Key, string? Value)> settings)
    {
        var all = new Dictionary<string, string?> { ["urls"] = "http://127.0.0.1:0", ["Logging:LogLevel:Default"] = "Error" };
        foreach (var (key, value) in settings)
            all[key[Simulators.Length..]] = value;
        return SimulatorHost.Create([], all);
    }
}
