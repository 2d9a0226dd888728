using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>A receiver and two senders that watch one folder.</summary>
internal sealed class AlertsBenchmarkSystem : IAsyncDisposable
{
    private const int Senders = 2;

    private readonly HttpClient _http = new();
    private readonly BenchmarkPrograms _programs = new();
    private readonly string _folder = ServerDirectory.Create("alerts");
    private readonly Uri _receiver;
    private readonly NpgsqlDataSource _database;

    private AlertsBenchmarkSystem(int port, string postgres)
    {
        _receiver = new Uri($"http://127.0.0.1:{port}/webhooks/");
        _database = NpgsqlDataSource.Create(postgres);
    }

    /// <summary>Starts all on running servers.</summary>
    /// <param name="postgres">Connection string of a database of their own.</param>
    /// <param name="rabbitMq">A virtual host of their own.</param>
    /// <param name="limit">What the receiver accepts, per second; 0: everything.</param>
    /// <param name="knowsLimit">Whether the senders are configured with the limit; otherwise they learn it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<AlertsBenchmarkSystem> StartAsync(
        string postgres,
        Uri rabbitMq,
        int limit,
        bool knowsLimit,
        CancellationToken cancellationToken
    )
    {
        var ports = LoopbackPorts.Pick(1 + Senders);
        var system = new AlertsBenchmarkSystem(ports[0], postgres);
        try
        {
            var rate = limit.ToString(CultureInfo.InvariantCulture);
            system._programs.Start(
                "Sagas.Simulators",
                new() { ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{ports[0]}", ["Webhooks__Behaviour__PerSecond"] = rate }
            );
            await system._programs.UntilReadyAsync(new Uri(system._receiver, "/health/ready"), cancellationToken);
            foreach (var port in ports.Skip(1))
            {
                var settings = new Dictionary<string, string>
                {
                    ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
                    ["ConnectionStrings__Postgres"] = postgres,
                    ["RabbitMq__Uri"] = rabbitMq.ToString(),
                    ["Roles"] = "alerts",
                    ["Alerts__Endpoint"] = new Uri(system._receiver, "alerts").ToString(),
                    ["Alerts__AllowedHosts"] = "127.0.0.1",
                    ["Alerts__Folder"] = system._folder,
                    ["Serilog__MinimumLevel__Default"] = "Warning",
                };
                if (limit > 0 && knowsLimit)
                    settings["Alerts__Limit__PerSecond"] = rate;
                system._programs.Start("Sagas.Host", settings);
            }

            foreach (var port in ports.Skip(1))
                await system._programs.UntilReadyAsync(new Uri($"http://127.0.0.1:{port}/health/ready"), cancellationToken);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>Delivers a file of this many rows.</summary>
    public async Task<AlertsRun> DeliverAsync(int rows, CancellationToken cancellationToken)
    {
        var part = Path.Combine(_folder, "alerts.csv.part");
        await File.WriteAllLinesAsync(
            part,
            Enumerable
                .Range(1, rows)
                .Select(number => string.Create(CultureInfo.InvariantCulture, $"user-{number},Order {number} has been placed"))
                .Prepend("userId,alertMessage"),
            cancellationToken
        );
        File.Move(part, Path.Combine(_folder, "alerts.csv"));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        JsonElement summary;
        do
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            summary = await _http.GetFromJsonAsync<JsonElement>(new Uri(_receiver, "summary"), cancellationToken);
        } while (summary.GetProperty("alerted").GetInt64() < rows || await UndeliveredAsync(cancellationToken) > 0);
        AlertsRun.Check(summary, rows);
        return AlertsRun.Of(summary, await PeakMegabytesAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await _programs.DisposeAsync();
        await _database.DisposeAsync();
        _http.Dispose();
        ServerDirectory.Remove(_folder);
    }

    private async Task<long> UndeliveredAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand(
            "SELECT count(*) FROM outbound_call WHERE target = 'alert-webhook' AND state <> 'done'"
        );
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<double> PeakMegabytesAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand("SELECT DISTINCT process_id FROM outbox_instance");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var peak = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            using var sender = Process.GetProcessById(reader.GetInt32(0));
            peak = Math.Max(peak, sender.PeakWorkingSet64);
        }

        return peak / 1024.0 / 1024.0;
    }
}
