using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Sagas.Host;
using Sagas.Simulators;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>Services that run, the third parties that they call, and the command line for them.</summary>
/// <remarks>The tests of a class share them and run in sequence: each uses its own names and undoes its faults.</remarks>
public sealed class RunningServices : IAsyncLifetime
{
    private readonly ServersFixture _servers = new();
    private readonly HttpClient _thirdParties = new();
    private TestDatabase _database = null!;
    private TestVirtualHost _host = null!;
    private WebApplication _simulators = null!;
    private WebApplication _services = null!;
    private TaskCompletionSource? _paymentGate;

    internal CommandLineRunner Sagas { get; private set; } = null!;

    internal string Postgres => _database.ConnectionString;

    internal Uri RabbitMq => _host.Uri;

    public async Task InitializeAsync()
    {
        _database = await _servers.CreateDatabaseAsync("cli");
        _host = await _servers.CreateVirtualHostAsync("cli");
        Sagas = new CommandLineRunner(_database.ConnectionString, _host.Uri);
        _simulators = SimulatorHost.Create(
            [],
            new Dictionary<string, string?> { ["urls"] = "http://127.0.0.1:0", ["Logging:LogLevel:Default"] = "Error" }
        );
        _simulators.Use(
            async (context, next) =>
            {
                if (HttpMethods.IsPost(context.Request.Method) && context.Request.Path == "/payments" && _paymentGate is { } gate)
                    await gate.Task;
                await next();
            }
        );
        await _simulators.StartAsync();
        var url = _simulators.Urls.First();
        _thirdParties.BaseAddress = new Uri(url);
        _services = SagasHost.Create(
            [],
            new Dictionary<string, string?>
            {
                ["urls"] = "http://127.0.0.1:0",
                ["ConnectionStrings:Postgres"] = _database.ConnectionString,
                ["RabbitMq:Uri"] = _host.Uri.ToString(),
                ["Payments:GatewayUrl"] = url,
                ["Crm:Url"] = url + "/crm",
                ["Alerts:Endpoint"] = url + "/webhooks/alerts",
                ["Alerts:AllowedHosts"] = "127.0.0.1",
                // A call that fails is parked at once, and a slow machine makes no call fail.
                ["Payments:Retry:MaxAttempts"] = "1",
                ["Payments:Calls:CallTimeout"] = "01:00:00",
                ["Crm:Retry:MaxAttempts"] = "1",
                ["Crm:Calls:CallTimeout"] = "01:00:00",
                ["Serilog:MinimumLevel:Default"] = "Fatal",
            }
        );
        await _services.StartAsync();
    }

    public async Task DisposeAsync()
    {
        OpenPayments();
        await _services.StopAsync();
        await _services.DisposeAsync();
        await _simulators.DisposeAsync();
        _thirdParties.Dispose();
        await _host.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <summary>Sets the faults of a third party: <c>payments/faults</c>, <c>crm/faults</c>, <c>webhooks/behaviour</c>.</summary>
    internal async Task SetAsync(string path, object faults)
    {
        using var response = await _thirdParties.PutAsJsonAsync(path, faults);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Waits until a message was consumed.</summary>
    internal async Task ConsumedAsync(string messageId)
    {
        await using var database = NpgsqlDataSource.Create(Postgres);
        await Eventually.TrueAsync(
            $"message {messageId} is consumed",
            async () =>
            {
                await using var command = database.CreateCommand("SELECT count(*) FROM inbox_state WHERE message_id = $1");
                command.Parameters.Add(new() { Value = Guid.Parse(messageId) });
                return await command.ExecuteScalarAsync() is > 0L;
            }
        );
    }

    /// <summary>Makes payments wait at the gateway until <see cref="OpenPayments"/>.</summary>
    internal void HoldPayments() => _paymentGate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void OpenPayments() => _paymentGate?.TrySetResult();

    /// <summary>The command line with the same database and a broker without the services' queues.</summary>
    internal CommandLineRunner InFrontOf(Uri rabbitMq) => new(Postgres, rabbitMq);

    /// <summary>An empty virtual host.</summary>
    internal Task<TestVirtualHost> CreateVirtualHostAsync() => _servers.CreateVirtualHostAsync("cli");
}
