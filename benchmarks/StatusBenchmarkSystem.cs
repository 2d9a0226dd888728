using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>
/// The slow API, a services process that takes callbacks and one that fetches, as docker-compose runs them: each a process of
/// its own, so that each is measured alone.
/// </summary>
internal sealed class StatusBenchmarkSystem : IAsyncDisposable
{
    private readonly HttpClient _http = new();
    private readonly BenchmarkPrograms _programs = new();
    private readonly Stack<IAsyncDisposable> _started = new();
    private readonly Uri _api;
    private readonly Uri _callback;
    private readonly NpgsqlDataSource _database;

    private StatusBenchmarkSystem(int apiPort, int callbackPort, string postgres)
    {
        _api = new Uri($"http://127.0.0.1:{apiPort}/object-status/");
        _callback = new Uri($"http://127.0.0.1:{callbackPort}/callback");
        _database = NpgsqlDataSource.Create(postgres);
        _started.Push(_database);
        _started.Push(new Disposal(_http));
        _started.Push(_programs);
    }

    /// <summary>Starts them on running servers.</summary>
    /// <param name="postgres">Connection string of a database of their own.</param>
    /// <param name="rabbitMq">A virtual host of their own.</param>
    /// <param name="inFlight">Calls at once.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<StatusBenchmarkSystem> StartAsync(
        string postgres,
        Uri rabbitMq,
        int inFlight,
        CancellationToken cancellationToken
    )
    {
        var ports = LoopbackPorts.Pick(4);
        var system = new StatusBenchmarkSystem(ports[0], ports[2], postgres);
        try
        {
            system._programs.Start("Sagas.Simulators", new() { ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{ports[0]}" });
            await system._programs.UntilReadyAsync(new Uri(system._api, "/health/ready"), cancellationToken);
            // The memory reported is that of the last one to start.
            foreach (var (role, port) in new[] { ("callback", ports[1]), ("status", ports[3]) })
            {
                system._programs.Start(
                    "Sagas.Host",
                    new()
                    {
                        ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
                        ["ConnectionStrings__Postgres"] = postgres,
                        ["RabbitMq__Uri"] = rabbitMq.ToString(),
                        ["Roles"] = role,
                        ["ObjectStatus__CallbackPort"] = ports[2].ToString(CultureInfo.InvariantCulture),
                        ["ObjectStatus__StatusApi"] = system._api.ToString(),
                        ["ObjectStatus__MaxConcurrency"] = inFlight.ToString(CultureInfo.InvariantCulture),
                        // Sightings are counted at the end.
                        ["ObjectStatus__ExpiryTimeout"] = "01:00:00",
                    }
                );
                await system._programs.UntilReadyAsync(new Uri($"http://127.0.0.1:{port}/health/ready"), cancellationToken);
            }

            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>Posts ids to the callback.</summary>
    /// <returns>How long the answer took, milliseconds; null: they were rejected.</returns>
    public async Task<double?> PostAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        var body = JsonContent.Create(new { object_ids = ids });
        await body.LoadIntoBufferAsync(cancellationToken);
        var started = Stopwatch.GetTimestamp();
        using var response = await _http.PostAsync(_callback, body, cancellationToken);
        var took = Stopwatch.GetElapsedTime(started);
        return response.IsSuccessStatusCode ? took.TotalMilliseconds : null;
    }

    /// <summary>Sets how long the API takes.</summary>
    public async Task SetLatencyAsync(int minMs, int maxMs, CancellationToken cancellationToken)
    {
        using var response = await _http.PutAsJsonAsync(
            new Uri(_api, "faults"),
            new { latency = new { minMs, maxMs } },
            cancellationToken
        );
        response.EnsureSuccessStatusCode();
    }

    /// <summary>What the API counted.</summary>
    public Task<JsonElement> SummaryAsync(CancellationToken cancellationToken) =>
        _http.GetFromJsonAsync<JsonElement>(new Uri(_api, "summary"), cancellationToken);

    /// <summary>Forgets every call and every row.</summary>
    public async Task ClearAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.DeleteAsync(new Uri(_api, "/object-status"), cancellationToken);
        response.EnsureSuccessStatusCode();
        await using var command = _database.CreateCommand("TRUNCATE object_status");
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Waits until this many objects have a row.</summary>
    public async Task UntilSeenAsync(int objects, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        do
        {
            await using var command = _database.CreateCommand("SELECT count(*) FROM object_status");
            if ((long)(await command.ExecuteScalarAsync(cancellationToken))! >= objects)
                return;
        } while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>The most memory that the process that fetches has held so far, in megabytes of 2^20 bytes.</summary>
    public async Task<double> PeakMegabytesAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand(
            "SELECT process_id FROM outbox_instance ORDER BY started_at DESC LIMIT 1"
        );
        using var services = Process.GetProcessById((int)(await command.ExecuteScalarAsync(cancellationToken))!);
        return services.PeakWorkingSet64 / 1024.0 / 1024.0;
    }

    public async ValueTask DisposeAsync()
    {
        while (_started.TryPop(out var part))
            await part.DisposeAsync();
    }

    private sealed class Disposal(Action dispose) : IAsyncDisposable
    {
        public Disposal(IDisposable part)
            : this(part.Dispose) { }

        public ValueTask DisposeAsync()
        {
            dispose();
            return default;
        }
    }
}
